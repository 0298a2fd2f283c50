// swift-tools-version: 6.2

import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

let package = Package(
    name: "chard",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "Chard", targets: ["Chard"]),
        .library(name: "ChardRedis", targets: ["ChardRedis"]),
        .library(name: "ChardSQLite", targets: ["ChardSQLite"]),
        .library(name: "ChardCommand", targets: ["ChardCommand"]),
        .library(name: "ChardCrypto", targets: ["ChardCrypto"]),
        .library(name: "ChardHummingbird", targets: ["ChardHummingbird"]),
        .library(name: "ChardDashboard", targets: ["ChardDashboard"]),
        .library(name: "ChardHTTPFiles", targets: ["ChardHTTPFiles"]),
        .library(name: "ChardTesting", targets: ["ChardTesting"]),
        .executable(name: "chard", targets: ["ChardProgram"]),
        .executable(name: "tour", targets: ["Tour"]),
        .executable(name: "interop", targets: ["Interop"]),
        .executable(name: "orders", targets: ["Orders"]),
        .executable(name: "chard-bench-peer", targets: ["BenchPeer"]),
    ],
    traits: [
        .trait(name: "Web", description: "ChardHummingbird and ChardDashboard, and the packages that they need."),
        .default(enabledTraits: ["Web"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        .systemLibrary(
            name: "CHiredis",
            providers: [.apt(["libhiredis-dev"]), .brew(["hiredis"])]),
        .systemLibrary(
            name: "CZlib",
            providers: [.apt(["zlib1g-dev"])]),
        .target(
            name: "Chard",
            dependencies: [
                "CZlib",
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ],
            swiftSettings: settings),
        .target(
            name: "ChardCrypto", dependencies: ["Chard", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: settings),
        .target(
            name: "ChardRedis",
            dependencies: [
                "CHiredis", "Chard",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            swiftSettings: settings),
        .target(
            name: "ChardCommand",
            dependencies: [
                "Chard", "ChardCrypto", "ChardRedis", "ChardSQLite",
                .target(name: "ChardDashboard", condition: .when(traits: ["Web"])),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Hummingbird", package: "hummingbird", condition: .when(traits: ["Web"])),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: settings),
        .target(
            name: "ChardSQLite",
            dependencies: [
                "Chard",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings),
        .target(
            name: "ChardHummingbird",
            dependencies: [
                "Chard",
                .product(name: "Hummingbird", package: "hummingbird", condition: .when(traits: ["Web"])),
                .product(name: "HTTPTypes", package: "swift-http-types", condition: .when(traits: ["Web"])),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings),
        .target(
            name: "ChardDashboard",
            dependencies: [
                "Chard",
                .product(name: "Hummingbird", package: "hummingbird", condition: .when(traits: ["Web"])),
                .product(name: "HTTPTypes", package: "swift-http-types", condition: .when(traits: ["Web"])),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Mustache", package: "swift-mustache", condition: .when(traits: ["Web"])),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings),
        .target(
            name: "ChardHTTPFiles",
            dependencies: [
                "Chard",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            swiftSettings: settings),
        .target(
            name: "ChardTesting", dependencies: ["Chard", .product(name: "Logging", package: "swift-log")],
            swiftSettings: settings),
        .executableTarget(
            name: "ChardProgram", dependencies: ["Chard", "ChardCommand"], swiftSettings: settings),

        .executableTarget(
            name: "Tour",
            dependencies: [
                "Chard", "ChardSQLite",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            path: "Examples/Tour", swiftSettings: settings),
        .executableTarget(
            name: "Interop", dependencies: ["Chard", "ChardRedis", "ChardCommand"], path: "Examples/Interop",
            swiftSettings: settings),
        .executableTarget(
            name: "Orders", dependencies: ["Chard", "ChardCommand"], path: "Examples/Orders", swiftSettings: settings),

        .executableTarget(
            name: "BenchPeer",
            dependencies: [
                "Chard", "ChardRedis", "ChardSQLite", "ChardCommand",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Benchmarks/Peer", swiftSettings: settings),

        .target(
            name: "TestServers", dependencies: [.product(name: "Tracing", package: "swift-distributed-tracing")],
            path: "Tests/Support/TestServers", swiftSettings: settings),
        // A test target, for nothing else can import Testing.
        .testTarget(name: "TestTraits", path: "Tests/Support/TestTraits", swiftSettings: settings),
        .testTarget(
            name: "ChardTests",
            dependencies: [
                "Chard", "ChardTesting", "TestServers", "TestTraits",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "MetricsTestKit", package: "swift-metrics"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "ChardScheduleOracleTests", dependencies: ["Chard", "TestServers"], swiftSettings: settings),
        .testTarget(
            name: "ChardSQLiteTests",
            dependencies: [
                "Chard", "ChardSQLite", "ChardTesting", "TestServers", "TestTraits",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "ChardHummingbirdTests",
            dependencies: [
                "Chard", "ChardHTTPFiles", "ChardHummingbird", "TestServers",
                .product(name: "Hummingbird", package: "hummingbird", condition: .when(traits: ["Web"])),
                .product(name: "HTTPTypes", package: "swift-http-types", condition: .when(traits: ["Web"])),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "ChardDashboardTests",
            dependencies: [
                "Chard", "ChardDashboard",
                .product(name: "HTTPTypes", package: "swift-http-types", condition: .when(traits: ["Web"])),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "ChardDashboardServerTests",
            dependencies: [
                "Chard", "ChardDashboard", "ChardSQLite", "TestServers",
                .product(name: "Hummingbird", package: "hummingbird", condition: .when(traits: ["Web"])),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "ChardDocumentationTests",
            dependencies: [
                "Chard", "ChardCommand", "ChardCrypto", "ChardDashboard", "ChardHummingbird", "ChardRedis",
                "ChardSQLite",
                "ChardTesting",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird", condition: .when(traits: ["Web"])),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "ChardCryptoTests",
            dependencies: [
                "Chard", "ChardCrypto", "ChardSQLite", "ChardTesting", "TestServers",
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: settings),
        .testTarget(name: "ChardTestingTests", dependencies: ["Chard", "ChardTesting"], swiftSettings: settings),
        .testTarget(
            name: "ChardRedisTests",
            dependencies: [
                "Chard", "ChardRedis", "TestServers",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "ChardCommandTests",
            dependencies: [
                "Chard", "ChardCommand", "ChardCrypto", "ChardRedis", "TestServers",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "ChardRedisServerTests",
            dependencies: [
                "Chard", "ChardCrypto", "ChardRedis", "ChardTesting", "TestServers", "TestTraits",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "ChardInteropServerTests",
            dependencies: [
                "Chard", "ChardCrypto", "ChardRedis", "FaultWorker", "TestServers", "TestTraits",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "ChardProcessServerTests",
            dependencies: [
                "CZlib", "Chard", "ChardCommand", "ChardRedis", "ChardSQLite", "FaultWorker", "TestServers",
                "WebPeer",
                .product(name: "GRDB", package: "GRDB.swift"),
            ],
            swiftSettings: settings),

        .executableTarget(
            name: "WebPeer",
            dependencies: [
                "Chard", "ChardCommand", "ChardSQLite",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "GRDB", package: "GRDB.swift"),
            ],
            path: "Tests/Support/WebPeer", swiftSettings: settings),
        .target(name: "FaultClock", path: "Tests/Support/FaultClock"),
        .target(
            name: "FaultKit",
            dependencies: [
                "Chard", "ChardRedis", "ChardTesting", "TestServers",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            path: "Tests/Support/FaultKit", swiftSettings: settings),
        .executableTarget(
            name: "FaultWorker",
            dependencies: [
                "Chard", "ChardCommand", "ChardTesting", "FaultClock", "FaultKit", "TestServers",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ],
            path: "Tests/Support/FaultWorker", swiftSettings: settings),
        .executableTarget(
            name: "faults", dependencies: ["FaultKit"], path: "Tests/Support/Faults", swiftSettings: settings),
        .testTarget(
            name: "ChardFaultServerTests", dependencies: ["FaultKit", "FaultWorker", "TestTraits"],
            swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6]
)

// The micro benchmarks need packages, and a look at what is internal, that nobody else should have to build with.
if Context.environment["CHARD_BENCHMARKS"] != nil {
    package.dependencies.append(
        .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []))
    package.targets += [
        .target(name: "AllocationCount", path: "Benchmarks/AllocationCount"),
        .executableTarget(
            name: "Micro",
            dependencies: [
                "AllocationCount", "Chard", "ChardRedis",
                .product(name: "Benchmark", package: "benchmark"),
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            path: "Benchmarks/Micro", swiftSettings: settings,
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]),
    ]
    for target in package.targets where target.name == "ChardRedis" {
        target.swiftSettings?.append(.unsafeFlags(["-enable-testing"]))
    }
}
