import Foundation

/// A process of ours whose output is read line by line, and that can be killed at any moment.
package final class Victim: @unchecked Sendable {
    private let process = Process()
    private let output = Pipe()
    private var rest: [UInt8] = []

    package init(_ executable: URL, _ arguments: [String]) throws {
        process.executableURL = executable
        process.arguments = arguments
        process.standardOutput = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
    }

    /// The next line; nil after the end.
    package func line() -> String? {
        while true {
            if let end = rest.firstIndex(of: 10) {
                let line = String(decoding: rest[..<end], as: UTF8.self)
                rest.removeFirst(end + 1)
                return line
            }
            let chunk = output.fileHandleForReading.availableData
            if chunk.isEmpty { return nil }
            rest += chunk
        }
    }

    /// SIGKILL: no handler, no clean-up.
    package func kill() {
        guard process.isRunning else { return }
        Foundation.kill(process.processIdentifier, SIGKILL)
    }

    /// SIGKILL after a while, from another thread.
    package func kill(afterMillis millis: Int) {
        DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(millis)) { self.kill() }
    }

    /// Exit code, or minus the signal.
    package func wait() -> Int32 {
        process.waitUntilExit()
        return process.terminationReason == .exit
            ? process.terminationStatus : -process.terminationStatus
    }
}
