internal import Glibc

/// Answers lines on a unix socket that only its owner can open.
///
/// One thread serves all connections. A connection that breaks a limit is closed without an answer;
/// nobody can make the others wait but the handler.
public final class LineServer: Sendable {
    /// Where it listens.
    public let path: String
    private let limits: LineLimits
    private let listener: Int32
    private let wakeRead: Int32
    private let wakeWrite: Int32
    private let handler: @Sendable ([UInt8]) -> [UInt8]?

    /// Starts to listen. A socket file that nobody answers on is replaced.
    ///
    /// - Parameter handler: takes a line without its line feed, returns the answer without one; nil
    ///   closes the connection.
    public init(
        path: String,
        limits: LineLimits = LineLimits(),
        handler: @escaping @Sendable ([UInt8]) -> [UInt8]?
    ) throws(LocalSocketError) {
        self.path = path
        self.limits = limits
        self.handler = handler
        let socket = try LineServer.listen(path)
        var ends: [Int32] = [0, 0]
        guard unsafe pipe(&ends) == 0 else { throw .last("open a pipe for", path) }
        ends.forEach(Socket.prepare)
        (wakeRead, wakeWrite) = (ends[0], ends[1])
        listener = fcntl(socket.file, F_DUPFD_CLOEXEC, 0)
    }

    deinit {
        close(listener)
        close(wakeRead)
        close(wakeWrite)
    }

    private static func listen(_ path: String) throws(LocalSocketError) -> Socket {
        let socket = try Socket.make(path, blocking: false)
        // The file gets the socket's mode: nobody else can connect at any moment.
        fchmod(socket.file, 0o600)
        var failure = try socket.bind(path)
        if failure == EADDRINUSE {
            let probe = try Socket.make(path, blocking: true)
            guard try probe.connect(path) == ECONNREFUSED else { throw .inUse(path) }
            Socket.remove(path)
            failure = try socket.bind(path)
        }
        guard failure == 0 else { throw .system(action: "bind", path: path, number: failure) }
        guard Glibc.listen(socket.file, 64) == 0 else { throw .last("listen on", path) }
        return socket
    }

    /// Asks `run` to return; may be called from any thread or signal handler.
    public func stop() { _ = Socket.pipeWrite(wakeWrite) }

    /// Serves until `stop`, then removes the socket file.
    public func run() {
        var connections: [Connection] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            var files = [
                pollfd(fd: wakeRead, events: Int16(POLLIN), revents: 0),
                pollfd(fd: listener, events: Int16(POLLIN), revents: 0),
            ]
            for connection in connections {
                let events = connection.output.isEmpty ? POLLIN : POLLOUT
                files.append(pollfd(fd: connection.file, events: Int16(events), revents: 0))
            }
            let next = connections.map(\.deadline).min() ?? .max
            let patience = max(0, min(next == .max ? 60_000 : next - nowMillis(), 60_000))
            guard Socket.wait(&files, millis: patience) else { continue }
            if files[0].revents != 0 { break }
            let now = nowMillis()
            for index in connections.indices where files[index + 2].revents != 0 {
                serve(&connections[index], &chunk, now)
            }
            for index in connections.indices where connections[index].deadline <= now {
                connections[index].open = false
            }
            for connection in connections where !connection.open { close(connection.file) }
            connections.removeAll { !$0.open }
            if files[1].revents != 0 { accept(&connections, now) }
        }
        for connection in connections { close(connection.file) }
        Socket.remove(path)
    }

    private func accept(_ connections: inout [Connection], _ now: Int) {
        while true {
            let file = Glibc.accept(listener, nil, nil)
            guard file >= 0 else { return }
            Socket.prepare(file)
            if connections.count >= limits.connections,
                let oldest = connections.indices.min(by: {
                    connections[$0].deadline < connections[$1].deadline
                })
            {
                close(connections[oldest].file)
                connections.remove(at: oldest)
            }
            connections.append(Connection(file: file, deadline: now + limits.idleMillis))
        }
    }

    private func serve(_ connection: inout Connection, _ chunk: inout [UInt8], _ now: Int) {
        if !connection.output.isEmpty {
            flush(&connection, now)
            return
        }
        guard let bytes = Socket.read(connection.file, &chunk) else {
            connection.open = false
            return
        }
        if bytes.isEmpty { return }
        if connection.input.isEmpty { connection.deadline = now + limits.lineMillis }
        connection.input += bytes
        answer(&connection, now)
    }

    /// Answers the lines that are complete.
    private func answer(_ connection: inout Connection, _ now: Int) {
        // Answers that wait to be taken are bounded too; the other lines' turn comes afterwards.
        while connection.open, connection.output.count <= limits.lineBytes,
            let line = connection.takeLine()
        {
            guard line.count <= limits.lineBytes, let answer = handler(line) else {
                connection.open = false
                return
            }
            connection.output += answer
            connection.output.append(UInt8(ascii: "\n"))
        }
        if connection.input.count > limits.lineBytes {
            connection.open = false
            return
        }
        if !connection.output.isEmpty {
            connection.deadline = now + limits.lineMillis
            flush(&connection, now)
        }
    }

    private func flush(_ connection: inout Connection, _ now: Int) {
        guard let count = Socket.write(connection.file, connection.output[...]) else {
            connection.open = false
            return
        }
        connection.output.removeFirst(count)
        guard connection.output.isEmpty else { return }
        if connection.hasLine { return answer(&connection, now) }
        let patience = connection.input.isEmpty ? limits.idleMillis : limits.lineMillis
        connection.deadline = nowMillis() + patience
    }
}

/// What the server knows of one client.
private struct Connection {
    let file: Int32
    var deadline: Int
    var input: [UInt8] = []
    var output: [UInt8] = []
    var searched = 0
    var open = true

    init(file: Int32, deadline: Int) {
        self.file = file
        self.deadline = deadline
    }

    /// True if a complete line waits.
    var hasLine: Bool { input[searched...].contains(UInt8(ascii: "\n")) }

    /// The next complete line, without its line feed.
    mutating func takeLine() -> [UInt8]? {
        guard let end = input[searched...].firstIndex(of: UInt8(ascii: "\n")) else {
            searched = input.count
            return nil
        }
        let line = Array(input[..<end])
        input.removeFirst(end + 1)
        searched = 0
        return line
    }
}

extension Socket {
    /// One byte into a pipe; nothing if it is full.
    static func pipeWrite(_ file: Int32) -> Int {
        var byte: UInt8 = 1
        return unsafe Glibc.write(file, &byte, 1)
    }
}
