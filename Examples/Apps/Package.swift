// swift-tools-version: 6.2

import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

/// Whether `decisions` can keep its decisions on a PostgreSQL server, for which it needs Debian's libpq-dev.
let withPostgres = Context.environment["DECISIONS_POSTGRES"] != nil

/// What every app stands on.
let common: [Target.Dependency] = [
    "Pages",
    .product(name: "Chard", package: "chard"),
    .product(name: "ChardCommand", package: "chard"),
    .product(name: "ChardHummingbird", package: "chard"),
    .product(name: "ArgumentParser", package: "swift-argument-parser"),
    .product(name: "GRDB", package: "GRDB.swift"),
    .product(name: "HTTPTypes", package: "swift-http-types"),
    .product(name: "Hummingbird", package: "hummingbird"),
    .product(name: "Logging", package: "swift-log"),
    .product(name: "NIOCore", package: "swift-nio"),
]

func app(_ name: String, _ folder: String, _ more: [Target.Dependency] = []) -> Target {
    .executableTarget(
        name: name, dependencies: common + more, path: "Sources/\(folder)", exclude: ["README.md"],
        swiftSettings: settings)
}

// Web apps with tasks: a package of its own, so that nobody else builds what they need.
let package = Package(
    name: "chard-apps",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "chard", path: "../.."),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        .target(
            name: "Pages",
            dependencies: [
                .product(name: "Chard", package: "chard"),
                .product(name: "ChardCommand", package: "chard"),
                .product(name: "ChardHummingbird", package: "chard"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings),
        app("polls", "Polls", [.product(name: "ChardSQLite", package: "chard")]),
        app("profiles", "Profiles", [.product(name: "NIOPosix", package: "swift-nio")]),
        app("decisions", "Decisions", withPostgres ? ["CPQ"] : []),
        app("slow-dashboard", "SlowDashboard"),
        app("reviews", "Reviews", [.product(name: "ChardHTTPFiles", package: "chard")]),
        .testTarget(
            name: "ProfilesTests",
            dependencies: [
                "profiles",
                .product(name: "Chard", package: "chard"),
                .product(name: "ChardHummingbird", package: "chard"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings),
        .executableTarget(name: "web-bench", dependencies: common, path: "Sources/WebBench", swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6]
)

if withPostgres {
    package.targets.append(.systemLibrary(name: "CPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]))
    for target in package.targets where target.name == "decisions" {
        target.swiftSettings?.append(.define("POSTGRES"))
    }
}
