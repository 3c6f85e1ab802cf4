// swift-tools-version:5.7
import PackageDescription

let package = Package(
    name: "Kerasep",
    platforms: [.iOS(.v15), .macOS(.v12)],
    products: [.library(name: "Kerasep", targets: ["Kerasep"])],
    targets: [.target(name: "Kerasep")]
)
