// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import PackageDescription

// The order of the targets is that of the rows in ARCHITECTURE.md: a target imports only from rows above it here.
// Tests/ArchitectureTests reads the import lines and fails on any other edge.

/// No system call, clock, randomness or unsafe memory: the targets that protocols are made of.
let pure: [SwiftSetting] = [.treatAllWarnings(as: .error), .strictMemorySafety()]
/// The targets that touch the operating system.
let driver: [SwiftSetting] = [.treatAllWarnings(as: .error)]

let package = Package(
    name: "ouroboros",
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
        .target(name: "IPCP", dependencies: ["Vocabulary", "LocalProtocol"], swiftSettings: pure),
        // machines
        .target(name: "Shims", dependencies: ["Vocabulary", "LocalProtocol", "IPCP"], swiftSettings: pure),
        .target(
            name: "ResourceManagement",
            dependencies: [
                "Vocabulary", "Bytes", "LocalProtocol",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "OrderedCollections", package: "swift-collections"),
            ], swiftSettings: pure),
        // drivers
        .target(name: "CLinux", cSettings: [.define("_GNU_SOURCE")]),
        .target(name: "Platform", dependencies: ["Vocabulary", "CLinux"], swiftSettings: driver),
        .target(name: "FlowMemory", dependencies: ["Vocabulary", "Platform", "CLinux"], swiftSettings: driver),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .target(name: "Cryptography", dependencies: ["Vocabulary", "COpenSSL"], swiftSettings: driver),
        // runtimes
        .target(
            name: "IPCPRuntime", dependencies: ["Vocabulary", "LocalProtocol", "IPCP", "Platform", "CLinux"],
            swiftSettings: driver),
        .target(
            name: "ResourceManagerRuntime",
            dependencies: [
                "Vocabulary", "LocalProtocol", "ResourceManagement", "FlowMemory", "Cryptography", "Platform", "CLinux",
                .product(name: "DequeModule", package: "swift-collections"),
            ], swiftSettings: driver),
        // executables
        .executableTarget(name: "irmd", dependencies: ["ResourceManagerRuntime", "CLinux"], swiftSettings: driver),
        .executableTarget(
            name: "ipcpd-local", dependencies: ["Shims", "IPCPRuntime", "CLinux"], swiftSettings: driver),
        // tests
        .executableTarget(
            name: "attached-process", dependencies: ["Vocabulary", "LocalProtocol", "Platform", "CLinux"],
            path: "Tests/AttachedProcess", swiftSettings: driver),
        .testTarget(name: "LocalProtocolTests", dependencies: ["Vocabulary", "LocalProtocol"]),
        .testTarget(name: "ShimsTests", dependencies: ["Vocabulary", "LocalProtocol", "IPCP", "Shims"]),
        .testTarget(
            name: "ResourceManagementTests",
            dependencies: ["Vocabulary", "Bytes", "LocalProtocol", "ResourceManagement"]),
        .testTarget(
            name: "ResourceManagerRuntimeTests",
            dependencies: [
                "Vocabulary", "LocalProtocol", "Platform", "FlowMemory", "CLinux", "irmd", "ipcpd-local",
                "attached-process",
            ]),
    ],
    swiftLanguageModes: [.v6]
)
