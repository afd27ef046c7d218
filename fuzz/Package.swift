// swift-tools-version: 6.1
// SPDX-License-Identifier: Apache-2.0

import Foundation
import PackageDescription

// One program for all targets, so that the engine is instrumented and linked once. See README.md.
let package = Package(
    name: "fuzz",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "firn", path: "..")],
    targets: [
        .executableTarget(
            name: "Fuzz",
            dependencies: [.product(name: "Firn", package: "firn")],
            path: ".",
            exclude: ["README.md", "corpus", "regressions"],
            sources: ["Harness", "Targets"],
            swiftSettings: ProcessInfo.processInfo.environment["FIRN_PLANTED_BUG"] == nil
                ? [] : [.define("PLANTED_BUG")])
    ],
    swiftLanguageModes: [.v6]
)
