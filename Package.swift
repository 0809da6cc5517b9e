// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import PackageDescription

// The order of the targets is that of the rows in ARCHITECTURE.md: a target imports only from rows above it here.
// Tests/ArchitectureTests reads the import lines and fails on any other edge.

/// No system call, clock, randomness or unsafe memory: the targets that protocols are made of.
let pure: [SwiftSetting] = [.treatAllWarnings(as: .error), .strictMemorySafety()]
/// The targets that touch the operating system.
let driver: [SwiftSetting] = [.treatAllWarnings(as: .error)]

let root = Context.packageDirectory
/// The public headers include each other as `<ouroboros/…>`; with CLinux they must see the same libc.
let publicHeaders: [SwiftSetting] = [.unsafeFlags(["-Xcc", "-I\(root)/Include", "-Xcc", "-D_GNU_SOURCE"])]
/// The C libraries carry the Swift runtime in themselves, so that they work where Swift is not installed.
let runtimeInside: [SwiftSetting] = driver + publicHeaders + [.unsafeFlags(["-static-stdlib"])]
/// What programs that use flows are made of. They call the C interface, as users' C programs do.
let flowPrograms: [Target.Dependency] = ["COuroboros", "CFlowControl", "CLinux", "ToolSupport", "Vocabulary"]
/// Where they find it.
let flowLibrary: [LinkerSetting] = [.unsafeFlags(["-use-ld=lld", "-Xlinker", "--unresolved-symbols=ignore-all"])]

let package = Package(
    name: "ouroboros",
    products: [
        .library(name: "ouroboros-irm", type: .dynamic, targets: ["OuroborosIRM"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0")
    ],
    targets: [
        // ground
        .target(
            name: "Vocabulary", dependencies: [.product(name: "HeapModule", package: "swift-collections")],
            swiftSettings: pure),
        .target(name: "Bytes", dependencies: ["Vocabulary"], swiftSettings: pure),
        // contracts
        .target(name: "LocalProtocol", dependencies: ["Vocabulary", "Bytes"], swiftSettings: pure),
        // drivers
        // libm: the standard library needs it, and without Glibc nothing else asks for it.
        .target(
            name: "CLinux", cSettings: [.define("_GNU_SOURCE")], linkerSettings: [.linkedLibrary("m")]),
        .target(name: "Platform", dependencies: ["Vocabulary", "CLinux"], swiftSettings: driver),
        .target(name: "FlowMemory", dependencies: ["Vocabulary", "Platform", "CLinux"], swiftSettings: driver),
        // runtimes
        .target(
            name: "ManagementClient", dependencies: ["Vocabulary", "Bytes", "LocalProtocol", "Platform", "CLinux"],
            swiftSettings: driver),
        .target(name: "ToolSupport", dependencies: ["Vocabulary", "CLinux"], swiftSettings: driver),
        .target(
            name: "IRMCommands",
            dependencies: ["Vocabulary", "LocalProtocol", "ManagementClient", "ToolSupport", "CLinux"],
            swiftSettings: driver),
        // C interface
        .systemLibrary(name: "COuroboros", path: "Include"),
        .target(
            name: "OuroborosIRM",
            dependencies: ["COuroboros", "Vocabulary", "LocalProtocol", "ManagementClient", "CLinux"],
            exclude: ["exports.map"], swiftSettings: runtimeInside,
            linkerSettings: [
                .unsafeFlags([
                    "-static-stdlib", "-use-ld=lld", "-Xlinker", "-soname=libouroboros-irm.so.0.23",
                    "-Xlinker", "--version-script=\(root)/Sources/OuroborosIRM/exports.map",
                    "-Xlinker", "--gc-sections", "-Xlinker", "-z", "-Xlinker", "nodelete",
                ])
            ]),
        .target(name: "CFlowControl", cSettings: [.unsafeFlags(["-I\(root)/Include"])]),
        .target(name: "Ping", dependencies: ["Vocabulary", "ToolSupport"], swiftSettings: driver),
        // executables
        .executableTarget(
            name: "irm", dependencies: ["COuroboros", "CLinux", "IRMCommands", "ManagementClient", "ToolSupport"],
            swiftSettings: driver + publicHeaders),
        .executableTarget(
            name: "oping",
            dependencies: flowPrograms + ["Ping", "Platform"], swiftSettings: driver + publicHeaders,
            linkerSettings: flowLibrary),
        .executableTarget(
            name: "oecho", dependencies: flowPrograms, swiftSettings: driver + publicHeaders,
            linkerSettings: flowLibrary),
        // tests
        .testTarget(
            name: "ManagementClientTests",
            dependencies: ["ManagementClient", "LocalProtocol", "Platform", "CLinux", "Vocabulary"],
            swiftSettings: driver),
        .testTarget(
            name: "ToolSupportTests", dependencies: ["ToolSupport", "Vocabulary"], swiftSettings: driver),
        .testTarget(
            name: "IRMCommandsTests",
            dependencies: ["IRMCommands", "LocalProtocol", "ManagementClient", "ToolSupport", "CLinux", "Vocabulary"],
            exclude: ["usage.txt"], swiftSettings: driver),
        .testTarget(name: "PingTests", dependencies: ["Ping", "ToolSupport", "Vocabulary"], swiftSettings: driver),
    ],
    swiftLanguageModes: [.v6]
)
