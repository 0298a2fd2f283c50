// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension Settings {
    /// The names of arguments whose values are not shown unless ``redactedArguments`` says otherwise.
    public static let usuallyRedacted: Set<String> = [
        "password", "passwd", "passphrase", "secret", "client_secret", "token", "access_token", "refresh_token",
        "api_key",
        "apikey", "private_key", "authorization", "cookie", "card_number", "cvv",
    ]

    /// What may be shown of arguments.
    var argumentTexts: ArgumentTexts { ArgumentTexts(isShown: describesArguments, hiding: redactedArguments) }
}
