// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// docs/configuration.md, made of the table of settings.
enum SettingsPage {
    static var text: String {
        let rows = Setting.all.map { setting in
            let flag = setting.flag.map { "`\($0)`" } ?? ""
            let isWords = setting.usual.hasPrefix("(")
            let usual = isWords ? String(setting.usual.dropFirst().dropLast()) : "`\(setting.usual)`"
            return "| `\(setting.name)` | `\(setting.variable)` | \(flag) | \(setting.meaning) | \(usual) |"
        }
        return """
            # Settings

            <!-- Made of Sources/ChardCommand/Settings/Setting+All.swift by `chard config docs`; a test compares them. -->

            Every program that ends with `await app.main()`, and `chard` itself, takes these. A flag wins over the environment, the
            environment over the settings file, the file over what the code says, and that over the default.

            | in the file | in the environment | flag | what it does | default |
            |---|---|---|---|---|
            \(rows.joined(separator: "\n"))

            ## The settings file

            `--config FILE`, or `CHARD_CONFIG`, names it. Whether it is YAML (`.yaml`, `.yml`) or JSON is told by the ending of its name.

            ```yaml
            broker_url: rediss://worker:p%40ss@redis.example.com:6380/0?ssl_ca_certs=/etc/chard/tls/ca.pem
            worker_queues: [mail, images]
            worker_processes: 2
            worker_grace: 45
            http: 0.0.0.0:9100
            log_format: json
            ```

            A key that nobody knows is an error, with the one that was meant if it is near. In YAML a value is what its setting says: `no`
            is a name for `worker_node`, and a truth value for `worker_events`. An empty variable counts as none; one that begins with `CHARD_`
            and looks like a slip is warned of. Whoever can read a file can read the password in it: `chmod 600`, or keep the URL in the environment.

            ## What counts, and whether it is right

            ```sh
            shop config show --origin                      # every setting, its value, and whence: flag, environment, file, code or default
            shop config show --origin -- worker -c 4       # as this worker would have them
            shop config check chard.yaml                   # all that is wrong in the file and the environment, one line each; status 2
            ```

            Users and passwords in URLs are shown as `***`. Both take `--json`.
            """
    }
}
