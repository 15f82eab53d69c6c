import Bytes
import Foundation
import Testing

/// libdray as an embedder gets it: installed, found by pkg-config, used from C and C++.
///
/// Not under sanitizers: a library that needs their runtime first is not what is installed.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["DRAY_SANITIZE"] == nil))
struct ABITests {
    private static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent()
        .deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Where the library lies that was built with the tests.
    private static let products = URL(fileURLWithPath: CommandLine.arguments[0])
        .deletingLastPathComponent()

    private struct Installed {
        let folder: URL
        let log: String
        let succeeded: Bool
    }

    /// Installs the library and builds the programs, once.
    private static let installed: Installed = {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("dray-abi-\(ProcessInfo.processInfo.processIdentifier)")
        try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        atexit { ABITests.removeInstalled() }
        let library = products.appendingPathComponent("libDrayABI.so").path
        let install = run(
            "make",
            [
                "-s", "install-abi", "LIBRARY=\(library)", "PREFIX=\(folder.path)", "DESTDIR=",
            ]
        )
        guard install.status == 0 else {
            return Installed(folder: folder, log: install.output, succeeded: false)
        }
        let build = run(
            "Tests/ABI/build.sh",
            [folder.path],
            environment: ["PKG_CONFIG_PATH": folder.path + "/lib/pkgconfig"]
        )
        return Installed(folder: folder, log: build.output, succeeded: build.status == 0)
    }()

    private static func removeInstalled() {
        try? FileManager.default.removeItem(at: installed.folder)
    }

    private static func run(
        _ tool: String,
        _ arguments: [String],
        environment: [String: String] = [:]
    ) -> (status: Int32, output: String) {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [tool] + arguments
        process.currentDirectoryURL = root
        process.environment = ProcessInfo.processInfo.environment
            .merging(environment) { $1 }
            .filter { !["MAKEFLAGS", "MAKELEVEL", "MFLAGS"].contains($0.key) }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = pipe
        process.standardError = pipe
        guard (try? process.run()) != nil else { return (-1, "cannot run \(tool)") }
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }

    private func program(_ name: String, _ arguments: [String]) -> (status: Int32, output: String) {
        let installed = ABITests.installed
        guard installed.succeeded else { return (-1, installed.log) }
        return ABITests.run(
            installed.folder.appendingPathComponent(name).path,
            arguments,
            environment: ["LD_LIBRARY_PATH": installed.folder.path + "/lib"]
        )
    }

    @Test func `a C program relays the published packets and nothing hostile stops it`() {
        let result = program("relay_vectors", ["Tests/Vectors/hopr"])
        #expect(result.status == 0, "\(result.output)")
        #expect(result.output.contains(" passed, 0 failed"))
    }

    @Test func `the header serves C++`() {
        let result = program("header", [])
        #expect(result.status == 0, "\(result.output)")
    }

    @Test func `drop codes have the names and numbers of their cases`() {
        let result = program("relay_vectors", ["--codes"])
        #expect(result.output.split(separator: "\n").map(String.init) == Drop.allCases.map(\.code))
    }

    @Test func `the library shows the header's names and no others`() throws {
        let header = try String(
            contentsOf: ABITests.root.appendingPathComponent("CShims/Dray/include/dray.h"),
            encoding: .utf8
        )
        let declared = Set(
            header.matches(of: /(?m)^[a-z].*?\b(dray_[a-z_]+)\(/).map { String($0.output.1) }
        )
        #expect(declared.count > 20)
        let folder = ABITests.installed.folder.path
        let symbols = ABITests.run("nm", ["-D", "--defined-only", folder + "/lib/libdray.so"])
        let exported = symbols.output.split(separator: "\n").compactMap { line in
            line.split(separator: " ").last?.split(separator: "@").first.map(String.init)
        }
        .filter { $0 != "DRAY_0" }
        #expect(Set(exported) == declared)
    }

    @Test func `the library has its name inside`() {
        let folder = ABITests.installed.folder.path
        let dynamic = ABITests.run("readelf", ["-d", folder + "/lib/libdray.so"]).output
        #expect(dynamic.contains("Library soname: [libdray.so.0]"))
    }
}
