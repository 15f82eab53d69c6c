import Foundation
import Testing

@testable import Node

/// The program as it was built beside the tests, run as a user runs it.
struct Program {
    /// What a run left.
    struct Outcome {
        var code: Int32
        var output: String
        var errors: String
    }

    /// The built binary, in the folder of the test bundle.
    static var path: String {
        var folder = URL(filePath: CommandLine.arguments[0])
        for argument in CommandLine.arguments where argument.hasSuffix(".xctest") {
            folder = URL(filePath: argument)
        }
        let candidates = [
            folder.deletingLastPathComponent().appending(path: "dray").path,
            folder.deletingLastPathComponent().deletingLastPathComponent().appending(path: "dray")
                .path,
            FileManager.default.currentDirectoryPath + "/.build/debug/dray",
        ]
        return candidates.first { FileManager.default.isExecutableFile(atPath: $0) } ?? ""
    }

    /// Runs to the end, at most half a minute.
    static func run(
        _ arguments: [String],
        environment: [String: String] = [:],
        shell: String? = nil
    ) throws -> Outcome {
        let process = Process()
        let (output, errors) = (Pipe(), Pipe())
        process.executableURL = URL(filePath: shell == nil ? path : "/bin/sh")
        process.arguments = shell.map { ["-c", $0, path] + arguments } ?? arguments
        // A sanitizer's options must reach the program too.
        let kept = ProcessInfo.processInfo.environment.filter { $0.key.hasSuffix("SAN_OPTIONS") }
        process.environment = kept.merging(["PATH": "/usr/bin:/bin"]) { $1 }
            .merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        let deadline = DispatchTime.now() + 30
        DispatchQueue.global().asyncAfter(deadline: deadline) {
            if process.isRunning { process.terminate() }
        }
        let text = output.fileHandleForReading.readDataToEndOfFile()
        let complaints = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Outcome(
            code: process.terminationStatus,
            output: String(decoding: text, as: UTF8.self),
            errors: String(decoding: complaints, as: UTF8.self)
        )
    }
}

/// A ledger and nodes in a folder of their own, started as programs.
final class Fixture {
    let folder: String
    private var children: [Process] = []

    init() throws {
        folder = try Files.makeTemporaryFolder("dray-node-test")
    }

    deinit {
        for child in children where child.isRunning {
            kill(child.processIdentifier, SIGKILL)
            child.waitUntilExit()
        }
        Files.removeTree(folder)
    }

    var ledgerSocket: String { "\(folder)/ledger/ledger.sock" }

    /// Starts a program that stays.
    @discardableResult
    func start(_ arguments: [String], log: String) throws -> Process {
        let process = Process()
        process.executableURL = URL(filePath: Program.path)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        _ = FileManager.default.createFile(atPath: "\(folder)/\(log)", contents: nil)
        let handle = try FileHandle(forWritingTo: URL(filePath: "\(folder)/\(log)"))
        process.standardOutput = handle
        process.standardError = handle
        try process.run()
        children.append(process)
        return process
    }

    func startLedger(_ options: [String] = []) throws {
        try Files.makeFolder("\(folder)/ledger")
        try start(["ledger", "serve", "--data", "\(folder)/ledger"] + options, log: "ledger.log")
        try wait {
            (try? Program.run(["ledger", "status", "--socket", self.ledgerSocket]))?.code == 0
        }
    }

    /// Keys and configuration of a node; returns the configuration's path.
    func makeNode(_ name: String, port: UInt16, more: String = "") throws -> String {
        let home = "\(folder)/\(name)"
        try Files.makeFolder(home)
        try Files.create("\(home)/passphrase", Array("secret".utf8))
        _ = try Keystore("\(home)/keys", cost: .least)
            .create(passphrase: .init(Array("secret".utf8)))
        let text = """
            [node]
            data = "data"
            keys = "keys"
            passphrase_file = "passphrase"
            listen = "127.0.0.1:\(port)"
            stop_wait_s = 2
            [ledger]
            socket = "\(ledgerSocket)"
            [replay]
            tags = 4096
            \(more)
            """
        try Files.create("\(home)/dray.toml", Array(text.utf8))
        return "\(home)/dray.toml"
    }

    /// Starts a node and waits until it answers.
    func startNode(_ config: String) throws -> Process {
        let process = try start(["run", "--config", config], log: "node-\(children.count).log")
        try wait { (try? Program.run(["status", "--config", config]))?.code == 0 }
        return process
    }

    func wait(_ isSo: () -> Bool) throws {
        for _ in 0..<200 {
            if isSo() { return }
            pause(millis: 50)
        }
        Issue.record("not ready in time")
    }

    /// A port that was free a moment ago.
    static func freePort() throws -> UInt16 {
        try UDPSocket(bind: .init(ipv4: 127, 0, 0, 1, port: 0)).port
    }
}
