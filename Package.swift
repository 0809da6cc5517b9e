// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import PackageDescription

// The order of the targets is that of the rows in ARCHITECTURE.md: a target imports only from rows above it here.
// Tests/ArchitectureTests reads the import lines and fails on any other edge.

/// No system call, clock, randomness or unsafe memory: the targets that protocols are made of.
let pure: [SwiftSetting] = [.treatAllWarnings(as: .error), .strictMemorySafety()]
/// The targets that touch the operating system.
let driver: [SwiftSetting] = [.treatAllWarnings(as: .error)]

/// A C library that brings the Swift runtime with it and shows only its C functions. `--static-swift-stdlib` is ignored
/// for dynamic products, so the flags stand here.
func cLibrary(_ target: String, _ name: String) -> (swift: [SwiftSetting], linker: [LinkerSetting]) {
    let exports = "\(Context.packageDirectory)/Sources/\(target)/exports.map"
    return (
        driver + [.unsafeFlags(["-static-stdlib"])],
        [
            .unsafeFlags([
                "-static-stdlib", "-use-ld=lld", "-Xlinker", "-soname=\(name).so.0.23", "-Xlinker",
                "--version-script=\(exports)", "-Xlinker", "--gc-sections", "-Xlinker", "-z", "-Xlinker", "nodelete",
                "-Xlinker", "-z", "-Xlinker", "pack-relative-relocs",
            ])
        ]
    )
}
let dev = cLibrary("OuroborosDev", "libouroboros-dev")

let package = Package(
    name: "ouroboros",
    products: [
        .library(name: "ouroboros-dev", type: .dynamic, targets: ["OuroborosDev"])
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
        // formats
        .target(name: "Wire", dependencies: ["Vocabulary", "Bytes"], swiftSettings: pure),
        // contracts
        .target(name: "LocalProtocol", dependencies: ["Vocabulary", "Bytes"], swiftSettings: pure),
        // drivers
        .target(name: "CLinux", cSettings: [.define("_GNU_SOURCE")]),
        .target(name: "Platform", dependencies: ["Vocabulary", "CLinux"], swiftSettings: driver),
        .target(name: "FlowMemory", dependencies: ["Vocabulary", "Platform", "CLinux"], swiftSettings: driver),
        // runtimes
        .target(
            name: "FlowRuntime", dependencies: ["Vocabulary", "LocalProtocol", "Platform", "FlowMemory", "CLinux"],
            swiftSettings: driver),
        // C interface
        .target(name: "COuroboros", path: "Include", publicHeadersPath: "."),
        .target(name: "COuroborosDev", cSettings: [.headerSearchPath("../../Include")]),
        .target(
            name: "OuroborosDev",
            dependencies: ["COuroboros", "COuroborosDev", "Vocabulary", "Wire", "FlowRuntime", "CLinux"],
            exclude: ["exports.map"], swiftSettings: dev.swift, linkerSettings: dev.linker),
        // tests
        .testTarget(name: "ArchitectureTests"),
        .testTarget(
            name: "FlowRuntimeTests", dependencies: ["FlowRuntime", "FlowMemory", "LocalProtocol", "Platform", "CLinux"]),
        .testTarget(name: "FlowMemoryTests", dependencies: ["FlowMemory", "CLinux"]),
    ],
    swiftLanguageModes: [.v6]
)
