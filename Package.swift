// swift-tools-version: 6.2
import PackageDescription

// The same sources compile in two modes. Ordinary Swift is for tests, sanitizers and fuzzers; the trait
// `Embedded` is for the shipped program, which the Makefile builds for amd64, arm64 and armhf.
let swift: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableExperimentalFeature("Lifetimes"),
  // Not `.enableExperimentalFeature`: SwiftPM hands that to the linker whatever the trait, and tests linked as Embedded
  // lack the runtime's registration, so that every cast to a protocol fails and no test is found.
  .unsafeFlags(["-enable-experimental-feature", "Embedded", "-wmo"], .when(traits: ["Embedded"])),
]

let package = Package(
  name: "restante",
  products: [.executable(name: "restante", targets: ["restante"])],
  traits: [.trait(name: "Embedded", description: "The shipped program: Embedded Swift.")],
  targets: [
    .target(
      name: "CLinux",
      cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])],
      linkerSettings: [
        .linkedLibrary("ssl"), .linkedLibrary("crypto"), .linkedLibrary("systemd"), .linkedLibrary("m"),
      ]),
    .target(name: "Wire", swiftSettings: swift),
    .target(name: "System", dependencies: ["CLinux", "Wire"], swiftSettings: swift),
    .target(name: "SMTP", dependencies: ["Wire"], swiftSettings: swift),
    .target(name: "POP3", dependencies: ["Wire"], swiftSettings: swift),
    .target(name: "Spool", dependencies: ["System", "Wire"], swiftSettings: swift),
    .target(name: "Accounts", dependencies: ["System", "Wire"], swiftSettings: swift),
    .target(
      name: "Server", dependencies: ["Accounts", "POP3", "SMTP", "Spool", "System", "Wire"], swiftSettings: swift),
    .target(
      name: "Console", dependencies: ["Accounts", "Server", "Spool", "System", "Wire"], swiftSettings: swift),
    .executableTarget(name: "restante", dependencies: ["Console", "Server", "System"], swiftSettings: swift),
    .testTarget(name: "WireTests", dependencies: ["Wire"], swiftSettings: swift),
    .testTarget(name: "SystemTests", dependencies: ["System", "Wire"], swiftSettings: swift),
    .testTarget(name: "SMTPTests", dependencies: ["SMTP", "Wire"], swiftSettings: swift),
    .testTarget(name: "POP3Tests", dependencies: ["POP3", "Wire"], swiftSettings: swift),
    .testTarget(name: "SpoolTests", dependencies: ["Spool", "System", "Wire"], swiftSettings: swift),
    .testTarget(name: "AccountsTests", dependencies: ["Accounts", "System", "Wire"], swiftSettings: swift),
    .testTarget(name: "ServerTests", dependencies: ["Server", "System", "Wire"], swiftSettings: swift),
    .testTarget(
      name: "ConsoleTests", dependencies: ["Accounts", "Console", "Server", "Spool", "System", "Wire"],
      swiftSettings: swift),
  ])
