// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

#if Web
import ArgumentParser
import Chard
import ChardDashboard
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import UnixSignals

/// `dashboard`: what goes on, as pages in a browser.
struct DashboardCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dashboard", abstract: "Shows in a browser what goes on, what went wrong and why.",
        discussion: """
            On an address of this machine alone anybody on it may use the dashboard. On any other it asks for the password of \
            CHARD_DASHBOARD_PASSWORD, or for the token of CHARD_DASHBOARD_TOKEN (Authorization: Bearer); or it trusts the header in which \
            a proxy names the user. Every page is a JSON document, too: Accept: application/json.
            """)

    @Option(help: ArgumentHelp("Where it listens; by default, 127.0.0.1:8787.", valueName: "host:port"))
    var http: String?

    @Option(
        help: ArgumentHelp(
            "Trusts the proxy before it, which names the user in this header and lets no client set it.",
            valueName: "header"))
    var proxyUserHeader: String?

    @Flag(help: "Nothing can be changed with it.")
    var readOnly = false

    @Flag(help: "Shows neither the arguments nor the results of tasks.")
    var hideArguments = false

    @OptionGroup(title: "Common options")
    var common: CommonOptions

    static let defaultAddress = "127.0.0.1:8787"

    func run() async throws {
        try await common.withSession { session in
            let found = try session.settings.text(.dashboardHTTP, flag: http, named: "--http")
            guard let address = ProbeAddress(found?.value ?? Self.defaultAddress) else {
                throw CommandError(
                    "\(found?.origin ?? "") is not \(ProbeAddress.expected): \(found?.value ?? "")", status: .misused)
            }
            let dashboard = try Dashboard(
                session.app,
                settings: Dashboard.Settings(
                    path: "/", access: try access(session.settings, address), isReadOnly: readOnly,
                    showsArguments: !hideArguments))
            let router = Router()
            dashboard.addRoutes(to: router)
            let application = Application(
                router: router,
                configuration: .init(address: .hostname(address.host, port: address.port), serverName: nil),
                onServerRunning: { channel in
                    let port = channel.localAddress?.port ?? address.port
                    let place = "http://\(ProbeAddress(host: address.readableHost, port: port))/"
                    session.announce("ready", ["url": .string(place)])
                    session.output.talk(
                        "The dashboard of \((try? session.app.broker.location) ?? "the broker") is at \(place) (end with Ctrl-C)."
                    )
                },
                logger: Logger(label: "chard.dashboard") { label in
                    // Hummingbird tells at info what the line above tells already.
                    var handler = Logger(label: label).handler
                    handler.logLevel = max(handler.logLevel, .notice)
                    return handler
                })
            do {
                try await application.runService(gracefulShutdownSignals: [.sigterm, .sigint])
            } catch let error as IOError {
                throw CommandError("cannot listen at \(address): \(error.description)", status: .misused)
            }
        }
    }

    /// Who may use it.
    private func access(_ settings: SettingsReader, _ address: ProbeAddress) throws -> DashboardAccess {
        if let proxyUserHeader {
            guard let access = DashboardAccess.proxy(userHeader: proxyUserHeader) else {
                throw CommandError("--proxy-user-header is no name of a header: \(proxyUserHeader)", status: .misused)
            }
            return access
        }
        let password = try settings.text(.dashboardPassword, flag: nil, named: "")?.value
        let token = try settings.text(.dashboardToken, flag: nil, named: "")?.value
        if let access = DashboardAccess.secret(password: password, token: token) { return access }
        guard address.isLoopback else {
            throw CommandError(
                "the dashboard would be open to everybody who reaches \(address): set \(Setting.dashboardPassword.variable), "
                    + "or name the header of a proxy with --proxy-user-header, or listen at \(Self.defaultAddress)",
                status: .misused)
        }
        return .local
    }
}
#endif
