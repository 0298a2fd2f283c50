// swift-tools-version: 6.2

import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

// Web apps with tasks: a package of its own, so that nobody else builds what they need.
let package = Package(
    name: "chard-apps",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "chard", path: "../.."),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
    ],
    targets: [
        .target(
            name: "Pages", dependencies: [.product(name: "Hummingbird", package: "hummingbird")],
            swiftSettings: settings),
        .executableTarget(
            name: "polls",
            dependencies: [
                "Pages",
                .product(name: "Chard", package: "chard"),
                .product(name: "ChardCommand", package: "chard"),
                .product(name: "ChardHummingbird", package: "chard"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Sources/Polls", swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6]
)
