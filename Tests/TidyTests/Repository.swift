import Foundation

/// The files that git tracks, read once.
struct Repository: Sendable {
    /// One tracked file; `text` is nil for one that is no UTF-8.
    struct File: Sendable {
        let path: String
        let text: String?

        /// Its name without folders.
        var name: String { path.split(separator: "/").last.map(String.init) ?? path }
        /// Lines without their ends.
        var lines: [Substring] {
            (text ?? "").split(separator: "\n", omittingEmptySubsequences: false)
        }
        /// True if the path ends with one of `endings`.
        func isOne(_ endings: String...) -> Bool { endings.contains { path.hasSuffix($0) } }
    }

    /// The checkout this test was compiled in.
    static let shared = Repository()

    let root: URL
    let files: [File]

    private init() {
        root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        // Without git (an unpacked archive) every file but the build's counts as tracked.
        let listed = run("git", ["-C", root.path, "ls-files", "-z"])
        var paths = (listed?.output ?? "").split(separator: "\0").map(String.init)
        if listed?.status != 0 {
            let walk = FileManager.default.enumerator(atPath: root.path)
            paths = (walk?.compactMap { $0 as? String } ?? []).filter { !$0.hasPrefix(".build") }
        }
        let root = root
        files = paths.sorted().compactMap { path in
            // A file deleted but not yet committed is still listed.
            guard let data = try? Data(contentsOf: root.appending(path: path)) else { return nil }
            return File(path: path, text: String(data: data, encoding: .utf8))
        }
    }

    /// Files that a person wrote: vectors and corpora are data.
    var written: [File] {
        files.filter { !$0.isOne(".json") && !$0.path.hasPrefix("Tests/Fuzz/Corpus/") }
    }

    /// Files of our own code: Swift and C, nothing vendored.
    var sources: [File] {
        files.filter {
            $0.isOne(".swift", ".c", ".h", ".cpp", ".S") && !$0.path.hasPrefix("CShims/Vendor/")
        }
    }

    /// The tracked file with this path.
    func file(_ path: String) -> File? { files.first { $0.path == path } }
}

/// Runs a tool found in PATH in the checkout; nil if it is not there.
func run(_ tool: String, _ arguments: [String], in folder: URL? = nil) -> (
    status: Int32, output: String
)? {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [tool] + arguments
    process.currentDirectoryURL = folder
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = pipe
    process.standardError = pipe
    guard (try? process.run()) != nil else { return nil }
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    // env's own status for a tool that is not there.
    guard process.terminationStatus != 127 else { return nil }
    return (process.terminationStatus, String(decoding: data, as: UTF8.self))
}
