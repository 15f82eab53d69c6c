// swift-tools-version: 6.2
// Every target with its path: this file is the import graph. Imports point down only;
// Tests/TidyTests compares each `import` line with the dependencies below.
import PackageDescription

/// Sanitizers bring an allocator of their own: `DRAY_SANITIZE=1` leaves jemalloc out of the link.
let sanitizing = Context.environment["DRAY_SANITIZE"] == "1"
/// `DRAY_FUZZ=1` adds the fuzzer, which links only with `-sanitize=fuzzer`.
let fuzzing = Context.environment["DRAY_FUZZ"] == "1"

/// What an executable depends on to have jemalloc, and what tells its source so.
let allocator: [Target.Dependency] = sanitizing ? [] : ["CJemalloc"]
let allocatorSettings: [SwiftSetting] = sanitizing ? [] : [.define("DRAY_JEMALLOC")]

/// What `dray --version` prints; the Makefile asks git. (`Context.gitInformation` would be stale:
/// SwiftPM keeps the manifest's values until its text or the environment changes.)
let commit = Context.environment["DRAY_COMMIT"] ?? ""

/// The toolchain's linker: quicker than the default, and it keeps no local names of Swift.
let linker: [LinkerSetting] = [.unsafeFlags(["-use-ld=lld"])]

let strict: [SwiftSetting] = [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableExperimentalFeature("Lifetimes"),
]

let tests: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny")
]

// Unoptimised kernels are thirty times slower, so C is optimised in every configuration.
let optimised: [CSetting] = [
    .unsafeFlags(["-O3", "-fno-math-errno", "-fvisibility=hidden", "-Wall", "-Wextra"])
]

func module(
    _ name: String,
    _ dependencies: [Target.Dependency] = [],
    linker: [LinkerSetting] = []
) -> Target {
    .target(
        name: name,
        dependencies: dependencies,
        path: "Sources/\(name)",
        swiftSettings: strict,
        linkerSettings: linker
    )
}

func testModule(
    _ name: String,
    _ dependencies: [Target.Dependency],
    exclude: [String] = []
) -> Target {
    .testTarget(
        name: name,
        dependencies: dependencies,
        path: "Tests/\(name)",
        exclude: exclude,
        swiftSettings: tests
    )
}

func library(_ name: String, _ folder: String, pkgConfig: String?, apt: String) -> Target {
    .systemLibrary(
        name: name,
        path: "CShims/\(folder)",
        pkgConfig: pkgConfig,
        providers: [.apt([apt])]
    )
}

/// Links with `-sanitize=fuzzer` only, so it is no part of the ordinary build.
let fuzzer: [Target] =
    fuzzing
    ? [
        .executableTarget(
            name: "dray-fuzz",
            dependencies: ["FuzzTargets"],
            path: "Tests/Fuzz/Driver",
            swiftSettings: tests
        )
    ] : []

let package = Package(
    name: "dray",
    products: [
        .executable(name: "dray", targets: ["dray"]),
        .executable(name: "dray-bench", targets: ["dray-bench"]),
        .library(name: "DrayABI", type: .dynamic, targets: ["DrayABI"]),
    ],
    targets: [
        // C: one folder, one target.
        library("CSodium", "Sodium", pkgConfig: "libsodium", apt: "libsodium-dev"),
        library("CCrypto", "Crypto", pkgConfig: "libcrypto", apt: "libssl-dev"),
        library("CSecp256k1", "Secp256k1", pkgConfig: "libsecp256k1", apt: "libsecp256k1-dev"),
        library("CUring", "Uring", pkgConfig: "liburing", apt: "liburing-dev"),
        library("CLMDB", "LMDB", pkgConfig: "lmdb", apt: "liblmdb-dev"),
        library("CJemalloc", "Jemalloc", pkgConfig: "jemalloc", apt: "libjemalloc-dev"),
        library("CJansson", "Jansson", pkgConfig: "jansson", apt: "libjansson-dev"),
        .systemLibrary(name: "CDray", path: "CShims/Dray"),
        .target(
            name: "CKernels",
            dependencies: ["CSodium", "CSecp256k1"],
            path: "CShims/Kernels",
            cSettings: optimised
        ),
        .target(
            name: "CRing",
            dependencies: ["CUring"],
            path: "CShims/Ring",
            cSettings: optimised
        ),
        .target(name: "CHost", path: "CShims/Host", cSettings: optimised),
        // Counts allocations; for tests alone.
        .target(name: "CAllocations", path: "CShims/Allocations"),
        .target(name: "CToml", path: "CShims/Toml"),
        .target(
            name: "CProcess",
            path: "CShims/Process",
            cSettings: commit.isEmpty ? [] : [.define("DRAY_COMMIT", to: "\"\(commit)\"")]
        ),

        // L0
        module("Bytes"),
        module("JSON", ["CJansson"]),
        module("LocalSocket"),
        // L1
        module("Crypto", ["Bytes", "CKernels", "CSodium", "CSecp256k1"]),
        // Apart from Crypto, so that the C library does without libcrypto.
        module("Cipher", ["Bytes", "CCrypto"]),
        module("Datapath", ["Bytes", "CRing", "CHost"]),
        // L2
        module("Sphinx", ["Bytes", "Crypto"]),
        module("Tickets", ["Bytes", "Crypto"]),
        module("Link", ["Bytes", "Crypto", "Cipher", "Datapath"]),
        module("Trace", ["Bytes", "Crypto"]),
        // L3
        module("Exchange", ["Bytes", "Crypto", "Tickets"]),
        // L4, data plane
        module("Engine", ["Bytes", "Crypto", "Sphinx", "Tickets", "Exchange"]),
        module(
            "Relay",
            ["Bytes", "Crypto", "Datapath", "Sphinx", "Tickets", "Link", "Exchange", "Engine"]
        ),
        // L4, control plane
        module("Store", ["Bytes", "CLMDB"]),
        module(
            "Chain",
            ["Bytes", "JSON", "LocalSocket", "Crypto", "Tickets", "Exchange", "Store"]
        ),
        module("Channels", ["Bytes", "Crypto", "Tickets", "Exchange", "Store", "Chain"]),
        module("Gateway", ["Bytes", "Crypto", "Sphinx", "Tickets", "Exchange"]),
        // L5
        module("Conform", ["Bytes", "JSON", "Crypto", "Sphinx", "Tickets", "Gateway"]),
        module(
            "Node",
            [
                "Bytes", "JSON", "LocalSocket", "Crypto", "Datapath", "Sphinx", "Tickets",
                "Exchange", "Engine", "Link", "Trace", "Relay", "Store", "Chain", "Channels",
                "Gateway", "CProcess", "CToml",
            ]
        ),
        // L6
        module(
            "DrayABI",
            ["Bytes", "Crypto", "Sphinx", "Tickets", "Exchange", "Engine", "CDray"],
            linker: [
                // An embedder sees the header's names and nothing of Swift.
                .unsafeFlags([
                    "-Xlinker", "--version-script=\(Context.packageDirectory)/CShims/Dray/dray.map",
                    "-Xlinker", "-soname=libdray.so.0", "-use-ld=lld",
                ]),
                .unsafeFlags(["-static-stdlib"], .when(configuration: .release)),
            ]
        ),
        .executableTarget(
            name: "dray",
            dependencies: [
                "Bytes", "JSON", "LocalSocket", "Crypto", "Exchange", "Tickets", "Chain", "Conform",
                "Node",
            ] + allocator,
            path: "Sources/dray",
            swiftSettings: strict + allocatorSettings,
            linkerSettings: linker
        ),

        // Executables that measure.
        .target(
            name: "Harness",
            dependencies: ["JSON", "CHost", "CSodium"],
            path: "Bench/Harness",
            swiftSettings: strict
        ),
        .target(
            name: "CLoadIO",
            dependencies: ["CSodium", "CCrypto"],
            path: "Bench/LoadIO",
            cSettings: optimised
        ),
        .target(
            name: "Load",
            dependencies: [
                "Harness", "Bytes", "Crypto", "Datapath", "Sphinx", "Tickets", "Trace", "Exchange",
                "Link", "Engine", "Relay", "CLoadIO",
            ],
            path: "Bench/Load",
            swiftSettings: strict
        ),
        .executableTarget(
            name: "dray-bench",
            dependencies: [
                "Harness", "Load", "JSON", "Bytes", "Crypto", "Datapath", "Sphinx", "Tickets",
                "Link", "Exchange", "Engine", "Relay", "CSodium", "CSecp256k1",
            ] + allocator,
            path: "Bench/dray-bench",
            swiftSettings: strict + allocatorSettings,
            linkerSettings: linker
        ),

        // Tests mirror Sources.
        .target(name: "CSandbox", path: "Tests/Sandbox"),
        .target(
            name: "TestSupport",
            dependencies: ["Bytes", "JSON", "CSandbox"],
            path: "Tests/Support",
            swiftSettings: tests
        ),
        .target(
            name: "CKernelProbe",
            dependencies: ["CKernels", "CSodium", "CSecp256k1"],
            path: "Tests/KernelProbe",
            cSettings: optimised
        ),
        .executableTarget(
            name: "kernel-check",
            dependencies: ["CKernelProbe"],
            path: "Tests/KernelCheck",
            cSettings: optimised
        ),
        testModule("BytesTests", ["Bytes", "TestSupport"]),
        testModule("JSONTests", ["JSON", "TestSupport"]),
        testModule("LocalSocketTests", ["LocalSocket", "TestSupport"]),
        testModule(
            "CryptoTests",
            [
                "Crypto", "Bytes", "CKernelProbe", "CSodium", "JSON", "TestSupport",
            ]
        ),
        testModule("DatapathTests", ["Datapath", "Bytes", "CAllocations", "TestSupport"]),
        testModule("SphinxTests", ["Sphinx", "Crypto", "Bytes", "JSON", "TestSupport"]),
        testModule(
            "TicketsTests",
            ["Tickets", "Crypto", "Bytes", "CSecp256k1", "CSodium", "JSON", "TestSupport"]
        ),
        testModule("TraceTests", ["Trace", "Crypto", "Bytes", "TestSupport"]),
        testModule(
            "LinkTests",
            [
                "Link", "Datapath", "Cipher", "Crypto", "Bytes", "CAllocations", "JSON",
                "TestSupport",
            ]
        ),
        testModule(
            "EngineTests",
            ["Engine", "Exchange", "Tickets", "Sphinx", "Crypto", "Bytes", "TestSupport"]
        ),
        testModule(
            "RelayTests",
            [
                "Relay", "Engine", "Datapath", "Link", "Exchange", "Tickets", "Sphinx", "Crypto",
                "Bytes", "CAllocations", "TestSupport",
            ]
        ),
        testModule("LoadTests", ["Load", "Bytes", "TestSupport"]),
        .target(
            name: "LedgerSupport",
            dependencies: ["Bytes", "Crypto", "Tickets", "Exchange", "Chain"],
            path: "Tests/LedgerSupport",
            swiftSettings: tests
        ),
        .executableTarget(
            name: "kill-loop",
            dependencies: [
                "Bytes", "Tickets", "Exchange", "Store", "Chain", "Channels", "LedgerSupport",
            ],
            path: "Tests/KillLoop",
            swiftSettings: tests
        ),
        testModule("StoreTests", ["Store", "Bytes", "LedgerSupport", "TestSupport"]),
        testModule(
            "ChainTests",
            [
                "Chain", "Store", "Tickets", "Exchange", "Crypto", "Bytes", "JSON", "LocalSocket",
                "LedgerSupport", "TestSupport",
            ]
        ),
        testModule(
            "ChannelsTests",
            [
                "Channels", "Chain", "Store", "Exchange", "Tickets", "Crypto", "Bytes",
                "LedgerSupport", "TestSupport",
            ]
        ),
        testModule(
            "GatewayTests",
            ["Gateway", "Exchange", "Sphinx", "Crypto", "Bytes", "TestSupport"]
        ),
        testModule(
            "NodeTests",
            [
                "Node", "Gateway", "Channels", "Chain", "Exchange", "Tickets", "Trace", "Sphinx",
                "Crypto", "LocalSocket", "JSON", "Bytes", "TestSupport",
            ]
        ),
        testModule(
            "ConformTests",
            ["Conform", "JSON", "TestSupport"]
        ),
        .target(
            name: "FuzzTargets",
            dependencies: [
                "Bytes", "JSON", "Crypto", "Datapath", "Sphinx", "Tickets", "Link", "Trace",
                "Exchange", "Engine", "Chain", "Conform", "Node",
            ],
            path: "Tests/Fuzz/Targets",
            swiftSettings: tests
        ),
        testModule("FuzzTests", ["FuzzTargets", "TestSupport"]),
        testModule("TidyTests", []),
        testModule("ABITests", ["Bytes"]),
    ] + fuzzer,
    swiftLanguageModes: [.v6],
    cLanguageStandard: .gnu17,
    cxxLanguageStandard: .cxx17
)
