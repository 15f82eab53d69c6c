internal import Bytes
internal import Datapath
internal import Relay

/// The program that runs, as it was started: what an upgrade starts instead.
public struct RunningProgram: Sendable {
    /// Its file.
    public var path: String
    /// What stands behind it on the command line.
    public var arguments: [String]

    /// A program as it was started.
    public init(path: String, arguments: [String]) {
        self.path = path
        self.arguments = arguments
    }
}

/// Before anything stops, the next program is asked whether it could go on.
public enum UpgradeCheck {
    /// How the answer begins if it can.
    static let ready = "ready to go on:"
    /// Option that asks, with the running node's stamp.
    public static let option = "check-state"
    /// Option that goes on, with a descriptor.
    public static let resumeOption = "resume"

    // MARK: the running node

    /// Asks the program in `path`; nil if it can go on, else a line that says why not.
    static func ask(
        _ path: String,
        _ program: RunningProgram,
        _ stamp: StateStamp,
        millis: Int
    ) -> String? {
        let words = [path] + program.arguments + ["--\(option)", stamp.text]
        switch Program.ask(words, millis: millis) {
        case .refused(let reason): return "\(path): \(reason)"
        case .timeout: return "\(path) did not answer within \(millis) ms"
        case .ended(0, let text) where text.hasPrefix(ready): return nil
        case .ended(let code, let text):
            let lines = text.split(separator: "\n").prefix(3).joined(separator: "; ")
            if !lines.isEmpty { return "\(path): \(lines)" }
            if code > 128 { return "\(path) ended by signal \(code - 128)" }
            return "\(path) gave no answer, exit code \(code)"
        }
    }

    // MARK: the next program

    /// Whether this build, with this configuration, could go on; the line says so, or why not.
    public static func answer(
        _ configuration: Configuration,
        stamp text: String
    ) -> (isReady: Bool, line: String) {
        do throws(StartError) {
            let running = StateStamp(text: text)
            if let refusal = try StateStamp(configuration).refusal(of: running) {
                return (false, refusal)
            }
            try probe(configuration)
            return (true, "\(ready) \(Version.text)")
        } catch {
            return (false, error.description)
        }
    }

    /// Tries what a start could fail at although the state fits.
    private static func probe(_ configuration: Configuration) throws(StartError) {
        for cpu in configuration.workers.pin where !Host.hasCPU(cpu) {
            throw .failed("\(DatapathError.noSuchCPU(cpu))")
        }
        let geometry = try Startup.geometry(configuration.packet)
        let config = PacketThreads.plan(configuration, geometry).config
        do throws(DatapathError) {
            let pages = try MappedPages(Port.byteCount(for: config.port))
            let socket = try DatagramSocket(.loopback(port: 0), shared: false, bufferBytes: 0)
            let port = try Port(config.port, socket: socket, memory: pages.region)
            try port.start()
            withExtendedLifetime(pages) {}
        } catch {
            throw .failed("\(error)")
        }
    }
}
