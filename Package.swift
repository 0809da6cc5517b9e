// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import PackageDescription

// The targets stand on floors, which are the rows of ARCHITECTURE.md and the directories of Sources: a target imports
// only from its own floor and from those above it here. Tests/ArchitectureTests reads the import lines and fails on any
// other edge.

/// No system call, clock, randomness or unsafe memory: the targets that protocols are made of.
let pure: [SwiftSetting] = [.treatAllWarnings(as: .error), .strictMemorySafety()]
/// The targets that touch the operating system.
let driver: [SwiftSetting] = [.treatAllWarnings(as: .error)]

/// A C library that brings the Swift runtime with it and shows only its C functions. `--static-swift-stdlib` is ignored
/// for dynamic products, so the flags stand here.
func cLibrary(_ folder: String, soname: String) -> (swift: [SwiftSetting], linker: [LinkerSetting]) {
    let exports = "\(Context.packageDirectory)/\(folder)/exports.map"
    return (
        driver + [.unsafeFlags(["-static-stdlib"])],
        [
            .unsafeFlags([
                "-static-stdlib", "-use-ld=lld", "-Xlinker", "-soname=\(soname)", "-Xlinker",
                "--version-script=\(exports)", "-Xlinker", "--gc-sections", "-Xlinker", "-z", "-Xlinker", "nodelete",
                "-Xlinker", "-z", "-Xlinker", "pack-relative-relocs",
            ])
        ]
    )
}
let dev = cLibrary("Sources/Interfaces/OuroborosDev", soname: "libouroboros-dev.so.0.23")
let irm = cLibrary("Sources/Interfaces/OuroborosIRM", soname: "libouroboros-irm.so.0.23")
let bench = cLibrary("Benchmarks/obench-swift", soname: "libobench-swift.so")

/// What `--version` says. The variable is the Makefile's.
let commit =
    Context.environment["OUROBOROS_COMMIT"].flatMap { $0.isEmpty ? nil : $0 }
    ?? Context.gitInformation.map { String($0.currentCommit.prefix(7)) }

/// The targets of one floor.
func floor(_ name: String, in directory: String = "Sources", _ targets: [Target]) -> [Target] {
    for target in targets where target.path == nil { target.path = "\(directory)/\(name)/\(target.name)" }
    return targets
}

/// Words and bytes.
let ground = floor(
    "Ground",
    [
        .target(
            name: "Vocabulary", dependencies: [.product(name: "HeapModule", package: "swift-collections")],
            swiftSettings: pure),
        .target(name: "Bytes", dependencies: ["Vocabulary"], swiftSettings: pure),
    ])
/// What goes to other hosts.
let formats = floor(
    "Formats",
    [
        .target(name: "Wire", dependencies: ["Vocabulary", "Bytes"], swiftSettings: pure)
    ])
/// What is said inside a host, and what layers have in common.
let contracts = floor(
    "Contracts",
    [
        .target(name: "LocalProtocol", dependencies: ["Vocabulary", "Bytes"], swiftSettings: pure),
        .target(name: "Authentication", dependencies: ["Vocabulary", "Bytes", "Wire"], swiftSettings: pure),
        .target(name: "IPCP", dependencies: ["Vocabulary", "LocalProtocol"], swiftSettings: pure),
    ])
/// What decides, without a system call.
let machines = floor(
    "Machines",
    [
        .target(
            name: "Shims",
            dependencies: [
                "Vocabulary", "Bytes", "Wire", "LocalProtocol", "IPCP",
                .product(name: "DequeModule", package: "swift-collections"),
            ], swiftSettings: pure),
        .target(name: "FlowProtocol", dependencies: ["Vocabulary", "Bytes"], swiftSettings: pure),
        .target(
            name: "Forwarding",
            dependencies: ["Vocabulary", "IPCP", .product(name: "DequeModule", package: "swift-collections")],
            swiftSettings: pure),
        .target(
            name: "ResourceManagement",
            dependencies: [
                "Vocabulary", "Bytes", "LocalProtocol", "Authentication", "FlowProtocol",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "OrderedCollections", package: "swift-collections"),
            ], swiftSettings: pure),
    ])
/// Machines in a world of their own, with a clock, links and faults of its making.
let worlds = floor(
    "Worlds",
    [
        .target(
            name: "Simulation",
            dependencies: ["Vocabulary", "FlowProtocol", .product(name: "HeapModule", package: "swift-collections")],
            swiftSettings: pure)
    ])
/// The system calls, and the libraries of others.
let drivers = floor(
    "Drivers",
    [
        // libm: the standard library needs it, and without Glibc nothing else asks for it.
        .target(name: "CLinux", cSettings: [.define("_GNU_SOURCE")], linkerSettings: [.linkedLibrary("m")]),
        .target(name: "CTools", cSettings: commit.map { [.define("OUROBOROS_COMMIT", to: "\"\($0)\"")] } ?? []),
        .target(name: "ToolSupport", dependencies: ["Vocabulary", "CLinux", "CTools"], swiftSettings: driver),
        .target(name: "Platform", dependencies: ["Vocabulary", "CLinux"], swiftSettings: driver),
        .target(name: "FlowMemory", dependencies: ["Vocabulary", "Platform", "CLinux"], swiftSettings: driver),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .target(
            name: "Cryptography", dependencies: ["Vocabulary", "Wire", "Authentication", "COpenSSL"],
            swiftSettings: driver),
        .systemLibrary(name: "CCares", pkgConfig: "libcares", providers: [.apt(["libc-ares-dev"])]),
        .target(
            name: "NameResolution",
            dependencies: [
                "Vocabulary", "Shims", "Platform", "Cryptography", "CLinux", "CCares",
                .product(name: "DequeModule", package: "swift-collections"),
            ], swiftSettings: driver),
    ])
/// Daemons and the library, around the machines.
let runtimes = floor(
    "Runtimes",
    [
        .target(
            name: "ResourceManagerRuntime",
            dependencies: [
                "Vocabulary", "Authentication", "LocalProtocol", "ResourceManagement", "FlowMemory", "Cryptography",
                "Platform", "CLinux", "ToolSupport", .product(name: "DequeModule", package: "swift-collections"),
            ], swiftSettings: driver),
        .target(
            name: "FlowRuntime",
            dependencies: ["Vocabulary", "LocalProtocol", "FlowProtocol", "Platform", "FlowMemory", "CLinux"],
            swiftSettings: driver),
        .target(
            name: "IPCPRuntime",
            dependencies: [
                "Vocabulary", "LocalProtocol", "IPCP", "Forwarding", "Shims", "FlowRuntime", "NameResolution",
                "Platform",
                "CLinux", .product(name: "DequeModule", package: "swift-collections"),
            ], swiftSettings: driver),
        .target(
            name: "ManagementClient", dependencies: ["Vocabulary", "Bytes", "LocalProtocol", "Platform", "CLinux"],
            swiftSettings: driver),
    ])
/// What programs are written against.
let interfaces = floor(
    "Interfaces",
    [
        .target(
            name: "Ouroboros",
            dependencies: ["Vocabulary", "LocalProtocol", "FlowRuntime", "ManagementClient", "Platform", "CLinux"],
            swiftSettings: driver),
        .target(name: "COuroboros", path: "Include", publicHeadersPath: "."),
        .target(name: "COuroborosDev", dependencies: ["COuroboros"]),
        .target(name: "CFlowControl", dependencies: ["COuroboros"]),
        .target(
            name: "OuroborosDev",
            dependencies: ["COuroboros", "COuroborosDev", "Vocabulary", "Wire", "FlowRuntime", "CLinux"],
            exclude: ["exports.map"], swiftSettings: dev.swift, linkerSettings: dev.linker),
        .target(
            name: "OuroborosIRM",
            dependencies: ["COuroboros", "Vocabulary", "LocalProtocol", "ManagementClient", "CLinux"],
            exclude: ["exports.map"], swiftSettings: irm.swift, linkerSettings: irm.linker),
    ])
/// What people run.
let programs = floor(
    "Programs",
    [
        .target(
            name: "IRMCommands",
            dependencies: ["Vocabulary", "LocalProtocol", "ManagementClient", "ToolSupport", "Platform", "CLinux"],
            swiftSettings: driver),
        .target(name: "Ping", dependencies: ["Vocabulary", "ToolSupport"], swiftSettings: driver),
        .executableTarget(
            name: "irmd", dependencies: ["ResourceManagerRuntime", "ToolSupport", "CLinux"], swiftSettings: driver),
        .executableTarget(
            name: "ipcpd-local", dependencies: ["Shims", "IPCPRuntime", "CLinux"], swiftSettings: driver),
        .executableTarget(
            name: "ipcpd-udp4", dependencies: ["IPCPRuntime", "CLinux"], swiftSettings: driver),
        .executableTarget(
            name: "ipcpd-udp6", dependencies: ["IPCPRuntime", "CLinux"], swiftSettings: driver),
        .executableTarget(
            name: "irm", dependencies: ["CLinux", "IRMCommands", "ManagementClient", "ToolSupport", "Vocabulary"],
            swiftSettings: driver),
        .executableTarget(
            name: "oping",
            dependencies: [
                "COuroboros", "CFlowControl", "CLinux", "ToolSupport", "Vocabulary", "Ping", "Platform", "OuroborosDev",
                "ManagementClient",
            ], swiftSettings: driver),
        .executableTarget(
            name: "oecho",
            dependencies: ["COuroboros", "CFlowControl", "CLinux", "ToolSupport", "Vocabulary", "OuroborosDev"],
            swiftSettings: driver),
    ])

/// What tests and benchmarks use, and the rules of the house.
let rigs: [Target] = [
    .executableTarget(
        name: "attached-process", dependencies: ["Vocabulary", "LocalProtocol", "Platform", "CLinux"],
        path: "Tests/Runtimes/AttachedProcess", swiftSettings: driver),
    .target(name: "CountedMemory", path: "Tests/CountedMemory"),
    .executableTarget(
        name: "counted-ipcpd", dependencies: ["CountedMemory", "IPCPRuntime", "CLinux"],
        path: "Tests/CountedDaemon", swiftSettings: driver),
    .target(
        name: "BrokerDouble",
        dependencies: ["Vocabulary", "LocalProtocol", "Platform", "FlowMemory", "FlowRuntime", "CLinux"],
        path: "Tests/Runtimes/BrokerDouble", swiftSettings: driver),
    .executableTarget(
        name: "frcp-seeds", dependencies: ["Simulation", "FlowProtocol"], path: "Tests/Worlds/Seeds",
        swiftSettings: driver),
    .testTarget(name: "ArchitectureTests"),
    .target(
        name: "ObenchSwift", dependencies: ["Ouroboros"], path: "Benchmarks/obench-swift",
        exclude: ["exports.map"], swiftSettings: bench.swift, linkerSettings: bench.linker),
]
/// The tests of each floor.
let tests = [
    floor(
        "Formats", in: "Tests",
        [
            .testTarget(
                name: "WireTests", dependencies: ["Vocabulary", "Bytes", "Wire", "FlowMemory"], exclude: ["Captures"])
        ]),
    floor(
        "Contracts", in: "Tests",
        [
            .testTarget(name: "LocalProtocolTests", dependencies: ["Vocabulary", "Bytes", "LocalProtocol"]),
            .testTarget(
                name: "AuthenticationTests", dependencies: ["Vocabulary", "Wire", "Authentication", "Cryptography"]),
        ]),
    floor(
        "Machines", in: "Tests",
        [
            .testTarget(name: "FlowProtocolTests", dependencies: ["Vocabulary", "Bytes", "FlowProtocol"]),
            .testTarget(name: "ForwardingTests", dependencies: ["Vocabulary", "IPCP", "Forwarding"]),
            .testTarget(
                name: "ShimsTests",
                dependencies: ["Vocabulary", "Bytes", "Wire", "LocalProtocol", "Authentication", "IPCP", "Shims"]),
            .testTarget(
                name: "ResourceManagementTests",
                dependencies: [
                    "Vocabulary", "Bytes", "LocalProtocol", "Authentication", "FlowProtocol", "ResourceManagement",
                    .product(name: "OrderedCollections", package: "swift-collections"),
                ]),
        ]),
    floor(
        "Worlds", in: "Tests",
        [
            .testTarget(name: "SimulationTests", dependencies: ["Simulation"])
        ]),
    floor(
        "Drivers", in: "Tests",
        [
            .testTarget(name: "PlatformTests", dependencies: ["Platform", "CLinux", "Vocabulary"]),
            .testTarget(name: "FlowMemoryTests", dependencies: ["FlowMemory", "CLinux"]),
            .testTarget(
                name: "NameResolutionTests",
                dependencies: [
                    "NameResolution", "Shims", "LocalProtocol", "Cryptography", "Platform", "CLinux",
                    "Vocabulary",
                ]),
            .testTarget(name: "ToolSupportTests", dependencies: ["ToolSupport", "Vocabulary", "CLinux"]),
        ]),
    floor(
        "Runtimes", in: "Tests",
        [
            .testTarget(
                name: "FlowRuntimeTests",
                dependencies: [
                    "FlowProtocol", "BrokerDouble", "FlowRuntime", "FlowMemory", "LocalProtocol", "Platform", "CLinux",
                ]),
            .testTarget(
                name: "ManagementClientTests",
                dependencies: ["ManagementClient", "LocalProtocol", "Platform", "CLinux", "Vocabulary"]),
            .testTarget(
                name: "ResourceManagerRuntimeTests",
                dependencies: [
                    "Vocabulary", "LocalProtocol", "Platform", "FlowMemory", "CLinux", "irmd", "ipcpd-local",
                    "attached-process",
                ]),
        ]),
    floor(
        "Interfaces", in: "Tests",
        [
            .testTarget(
                name: "OuroborosTests",
                dependencies: ["Ouroboros", "BrokerDouble", "FlowRuntime", "Platform", "CLinux", "Vocabulary"])
        ]),
    floor(
        "Programs", in: "Tests",
        [
            .testTarget(
                name: "IRMCommandsTests",
                dependencies: [
                    "IRMCommands", "LocalProtocol", "ManagementClient", "ToolSupport", "CLinux", "COuroboros",
                    "Vocabulary",
                ]),
            .testTarget(name: "PingTests", dependencies: ["Ping", "ToolSupport", "Vocabulary"]),
        ]),
].flatMap { $0 }

let package = Package(
    name: "ouroboros",
    products: [
        .library(name: "Ouroboros", targets: ["Ouroboros"]),
        .library(name: "ouroboros-dev", type: .dynamic, targets: ["OuroborosDev"]),
        .library(name: "ouroboros-irm", type: .dynamic, targets: ["OuroborosIRM"]),
        .library(name: "obench-swift", type: .dynamic, targets: ["ObenchSwift"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0")
    ],
    targets: ground + formats + contracts + machines + worlds + drivers + runtimes + interfaces + programs + rigs
        + tests,
    swiftLanguageModes: [.v6]
)
