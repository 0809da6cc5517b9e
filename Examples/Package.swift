// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import PackageDescription

// Programs that use Ouroboros as any other package does. Outside of this repository the dependency is
//     .package(url: "<where this repository is>", branch: "main")
let ouroboros = Target.Dependency.product(name: "Ouroboros", package: "ouroboros")

let package = Package(
    name: "ouroboros-examples",
    dependencies: [.package(name: "ouroboros", path: "..")],
    targets: [
        .executableTarget(name: "echo-server", dependencies: [ouroboros]),
        .executableTarget(name: "echo-client", dependencies: [ouroboros]),
        .executableTarget(name: "closing-server", dependencies: [ouroboros]),
        .executableTarget(name: "chat", dependencies: [ouroboros]),
        .executableTarget(name: "local-layer", dependencies: [ouroboros]),
        .executableTarget(name: "flow-bench", dependencies: [ouroboros]),
    ],
    swiftLanguageModes: [.v6]
)
