// swift-tools-version: 6.1
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

let package = Package(
    name: "Embed",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "firn", path: "../..")],
    targets: [
        .executableTarget(
            name: "Embed",
            dependencies: [.product(name: "Firn", package: "firn"), .product(name: "FirnFoundation", package: "firn")])
    ],
    swiftLanguageModes: [.v6]
)
