import Glibc
import LocalSocket
import Synchronization
import Testing
import TestSupport

/// A server in a folder of its own, on a thread of its own.
private final class Running: @unchecked Sendable {
    let server: LineServer
    let folder: String
    private var thread: pthread_t = 0

    init(limits: LineLimits = LineLimits()) throws {
        folder = "/tmp/dray-test-\(UInt64.random(in: .min ... .max))"
        mkdir(folder, 0o700)
        server = try LineServer(path: "\(folder)/s", limits: limits) { line in
            line == Array("close".utf8) ? nil : Array("<".utf8) + line + Array(">".utf8)
        }
        let context = Unmanaged.passRetained(server).toOpaque()
        pthread_create(
            &thread,
            nil,
            { context in
                if let context {
                    Unmanaged<LineServer>.fromOpaque(context).takeRetainedValue().run()
                }
                return nil
            },
            context
        )
    }

    func stop() {
        server.stop()
        pthread_join(thread, nil)
        rmdir(folder)
    }
}

private func ask(_ path: String, _ text: String, limits: LineLimits = LineLimits()) throws -> String
{
    var client = try LineClient(path: path, limits: limits)
    return String(decoding: try client.request(Array(text.utf8)), as: UTF8.self)
}

@Suite struct LocalSocketTests {
    @Test func `a line gets an answer, and so does the next one`() throws {
        let running = try Running()
        defer { running.stop() }
        var client = try LineClient(path: running.server.path)
        let first = try client.request(Array("one".utf8))
        let second = try client.request(Array(repeating: 120, count: 300_000))
        #expect(String(decoding: first, as: UTF8.self) == "<one>")
        #expect(second.count == 300_002)
    }

    @Test func `only the owner can open the socket`() throws {
        let running = try Running()
        defer { running.stop() }
        var info = stat()
        stat(running.server.path, &info)
        #expect(info.st_mode & 0o777 == 0o600)
    }

    @Test func `the socket file is gone after the end`() throws {
        let running = try Running()
        running.stop()
        #expect(access(running.server.path, F_OK) != 0)
        #expect(throws: LocalSocketError.self) { try ask(running.server.path, "x") }
    }

    @Test func `a socket in use is not taken over, a dead one is`() throws {
        let running = try Running()
        #expect(throws: LocalSocketError.inUse(running.server.path)) {
            try LineServer(path: running.server.path) { _ in nil }
        }
        running.stop()
        let dead = "/tmp/dray-dead-\(UInt64.random(in: .min ... .max))"
        do { _ = try LineServer(path: dead) { _ in nil } }
        _ = try LineServer(path: dead) { _ in nil }
        unlink(dead)
    }

    @Test func `a line that is too long or too slow ends the connection`() throws {
        var limits = LineLimits()
        limits.lineBytes = 100
        limits.lineMillis = 100
        let running = try Running(limits: limits)
        defer { running.stop() }
        let long = String(repeating: "x", count: 101)
        #expect(throws: LocalSocketError.noAnswer(running.server.path)) {
            try ask(running.server.path, long)
        }
        #expect(try ask(running.server.path, String(repeating: "x", count: 97)).count == 99)
        // Two connections that send nothing whole do not keep a third from its answer.
        let slow = [try connectRaw(running.server.path), try connectRaw(running.server.path)]
        for file in slow { send(file, "half", 4, 0) }
        #expect(try ask(running.server.path, "quick") == "<quick>")
        for file in slow {
            var byte: UInt8 = 0
            #expect(recv(file, &byte, 1, 0) == 0)
            close(file)
        }
    }

    @Test func `garbage is handed to the handler or refused, and never stops the server`() throws {
        let running = try Running()
        defer { running.stop() }
        var generator = SeededGenerator("local socket garbage")
        for _ in 0..<50 {
            let file = try connectRaw(running.server.path)
            let bytes = generator.bytes(Int(generator.next() % 5_000))
            send(file, bytes, bytes.count, Int32(MSG_NOSIGNAL))
            close(file)
        }
        #expect(try ask(running.server.path, "still there") == "<still there>")
    }

    @Test func `more connections than allowed push out the oldest`() throws {
        var limits = LineLimits()
        limits.connections = 4
        let running = try Running(limits: limits)
        defer { running.stop() }
        let files = try (0..<10).map { _ in try connectRaw(running.server.path) }
        #expect(try ask(running.server.path, "in") == "<in>")
        for file in files { close(file) }
    }

    @Test func `a path that is too long is refused`() {
        let path = "/tmp/" + String(repeating: "x", count: 110)
        #expect(throws: LocalSocketError.pathTooLong(path)) { try ask(path, "x") }
    }
}

private func connectRaw(_ path: String) throws -> Int32 {
    let file = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let result = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            connect(file, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }
    try #require(result == 0)
    return file
}
