internal import CHost
internal import Glibc

/// Where a document was measured.
public struct Machine: Sendable {
    /// Model name of the processor.
    public let cpu: String
    /// Processors that may be used.
    public let cores: Int
    /// Kernel release.
    public let kernel: String
    /// Version of the C compiler that built the kernels.
    public let compiler: String
    /// How Swift and C were optimised.
    public let flags: String
    /// Short hash of the checked-out commit, "-dirty" behind it if the tree differs; else
    /// "unknown".
    public let commit: String

    /// Reads this machine; git is asked for the commit of the folder the program runs in.
    public init() {
        cpu = Machine.field("model name", in: "/proc/cpuinfo")
        cores = sysconf(Int32(_SC_NPROCESSORS_ONLN))
        kernel = Machine.lines(of: "/proc/sys/kernel/osrelease").first ?? "unknown"
        compiler = unsafe String(cString: host_compiler())
        flags = Machine.isDebug ? "swift -Onone, C -O3" : "swift -O, C -O3"
        commit = Machine.output(of: "git describe --always --dirty --abbrev=12 --exclude='*'")
    }

    private static var isDebug: Bool {
        #if DEBUG
        true
        #else
        false
        #endif
    }

    private static func field(_ name: String, in path: String) -> String {
        for line in lines(of: path) where line.hasPrefix(name) {
            guard let colon = line.firstIndex(of: ":") else { continue }
            return String(line[line.index(after: colon)...].drop { $0 == " " })
        }
        return "unknown"
    }

    private static func lines(of path: String) -> [String] {
        guard let file = unsafe fopen(path, "r") else { return [] }
        defer { _ = unsafe fclose(file) }
        return unsafe read(file).split(separator: "\n").map(String.init)
    }

    private static func output(of command: String) -> String {
        guard let pipe = unsafe popen("\(command) 2>/dev/null", "r") else { return "unknown" }
        defer { _ = unsafe pclose(pipe) }
        let line = unsafe read(pipe).split(separator: "\n").first.map(String.init)
        return line ?? "unknown"
    }

    private static func read(_ file: UnsafeMutablePointer<FILE>) -> String {
        var text: [UInt8] = []
        while true {
            let byte = unsafe fgetc(file)
            guard byte >= 0 else { return String(decoding: text, as: UTF8.self) }
            text.append(UInt8(byte))
        }
    }
}
