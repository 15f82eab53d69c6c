import Bytes
import Datapath
import Foundation
import Testing

@Suite struct ProgramTests {
    private func shell(_ script: String, millis: Int = 20_000) -> Program.Outcome {
        Program.ask(["/bin/sh", "-c", script], millis: millis)
    }

    @Test func `a program's answer is what it wrote and how it ended`() {
        #expect(shell("echo out; echo err >&2; exit 3") == .ended(3, "out\nerr\n"))
        #expect(shell("kill -9 $$") == .ended(137, ""))
        // Standard input is empty.
        #expect(shell("cat") == .ended(0, ""))
        // Signals that we block are not blocked there.
        let blocked = shell("grep SigBlk /proc/self/status | grep -c 0000000000000000")
        #expect(blocked == .ended(0, "1\n"))
    }

    @Test func `a long answer is cut, and does not stop the program`() {
        guard case .ended(let code, let text) = shell("yes | head -c 100000; exit 5") else {
            Issue.record("no answer")
            return
        }
        #expect(code == 5 && text.utf8.count == 16_384)
    }

    @Test func `a program that hangs is killed, and those that it started`() {
        #expect(shell("sleep 100 & sleep 100", millis: 200) == .timeout)
        // One that has closed its output hangs all the same.
        #expect(shell("exec >&- 2>&-; sleep 100", millis: 200) == .timeout)
    }

    @Test func `what cannot be run is told in the system's words`() throws {
        let missing = Program.ask(["/nowhere/at/all"], millis: 100)
        #expect(missing == .refused("No such file or directory"))
        let path = NSTemporaryDirectory() + "dray-program-\(UInt64.random(in: 0 ... .max))"
        try Data("#!/bin/sh\n".utf8).write(to: URL(filePath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(Program.ask([path], millis: 100) == .refused("Permission denied"))
    }

    @Test func `a program that is asked inherits nothing of ours`() throws {
        let pages = try SharedPages(1 << 20, wide: false)
        let descriptor = try pages.share()
        defer { Host.close(descriptor) }
        #expect(shell("[ ! -e /proc/self/fd/\(descriptor) ]") == .ended(0, ""))
    }

    @Test func `who cannot become a program goes on, and keeps its descriptors to itself`() throws {
        let pages = try SharedPages(1 << 20, wide: false)
        let descriptor = try pages.share()
        defer { Host.close(descriptor) }
        let reason = Program.become(["/nowhere/at/all"], keeping: [descriptor])
        #expect(reason == "No such file or directory")
        #expect(fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0)
        #expect(Program.become(["/bin/true"], keeping: [9_999]) == "Bad file descriptor")
    }

    @Test func `shared pages are the same memory for whoever has the descriptor`() throws {
        for wide in [false, true] {
            let pages = try SharedPages(3 << 20, wide: wide)
            #expect(pages.region.address % (2 << 20) == 0 && pages.region.byteCount == 3 << 20)
            let zero = stride(from: 0, to: 3 << 20, by: 4_096).allSatisfy {
                pages.region.byte($0) == 0
            }
            #expect(zero)
            let other = try SharedPages(adopting: try pages.share(), byteCount: 3 << 20)
            pages.region.store(UInt64(42), 2 << 20)
            let seen: UInt64 = other.region.load(2 << 20)
            #expect(seen == 42)
        }
    }
}
