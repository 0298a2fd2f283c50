// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import HTTPTypes

/// Who may look at a dashboard, and change things with it.
///
/// Whoever may look may also change: ``Dashboard/Settings/isReadOnly`` takes that away from everybody.
public struct DashboardAccess: Sendable {
    enum Rule: Sendable {
        case local
        case open
        case secret(user: String, password: String?, token: String?)
        case proxy(header: HTTPField.Name)
    }

    let rule: Rule

    /// Anybody who asks for it under a name of this machine (`localhost`, `127.0.0.1`, `[::1]`). The server has to listen on no other
    /// address; that the name is looked at keeps other sites from reaching it through a reader's browser.
    public static let local = DashboardAccess(rule: .local)

    /// Anybody: where something before it, such as the middleware of an app, has decided already.
    public static let decidedBefore = DashboardAccess(rule: .open)

    /// Whoever knows the password, which browsers ask for, of any user name or of `user`; or the token, which scripts send as
    /// `Authorization: Bearer`. Both travel readable: put TLS before it.
    ///
    /// - Returns: `nil` where there is neither.
    public static func secret(user: String = "", password: String?, token: String? = nil) -> DashboardAccess? {
        func given(_ text: String?) -> String? { text.flatMap { $0.isEmpty ? nil : $0 } }
        guard given(password) != nil || given(token) != nil else { return nil }
        return DashboardAccess(rule: .secret(user: user, password: given(password), token: given(token)))
    }

    /// Whoever a proxy has let through: it names the user in this header, and lets no client set it. The server has to be reachable
    /// through the proxy only.
    ///
    /// - Returns: `nil` where that is no name of a header.
    public static func proxy(userHeader name: String) -> DashboardAccess? {
        HTTPField.Name(name).map { DashboardAccess(rule: .proxy(header: $0)) }
    }
}
