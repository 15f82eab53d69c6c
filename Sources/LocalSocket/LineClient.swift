internal import Glibc

/// Asks a `LineServer`, one line at a time.
public struct LineClient: ~Copyable {
    private let socket: Socket
    private let path: String
    private let limits: LineLimits
    private var input: [UInt8] = []

    /// Connects.
    public init(path: String, limits: LineLimits = LineLimits()) throws(LocalSocketError) {
        let file = try LineClient.connect(path)
        socket = Socket(file: file)
        self.path = path
        self.limits = limits
    }

    private static func connect(_ path: String) throws(LocalSocketError) -> Int32 {
        let probe = try Socket.make(path, blocking: false)
        let failure = try probe.connect(path)
        guard failure == 0 else { throw .unreachable(path, number: failure) }
        return fcntl(probe.file, F_DUPFD_CLOEXEC, 0)
    }

    /// Sends one line and waits for one; neither has its line feed. After an error the connection
    /// is of no more use.
    public mutating func request(_ line: [UInt8]) throws(LocalSocketError) -> [UInt8] {
        let deadline = nowMillis() + limits.lineMillis
        guard line.count <= limits.lineBytes else { throw .tooLong }
        var rest = (line + [UInt8(ascii: "\n")])[...]
        while !rest.isEmpty {
            guard let count = Socket.write(socket.file, rest) else { throw .noAnswer(path) }
            rest = rest.dropFirst(count)
            if !rest.isEmpty { try wait(POLLOUT, until: deadline) }
        }
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            if let end = input.firstIndex(of: UInt8(ascii: "\n")) {
                let answer = Array(input[..<end])
                input.removeFirst(end + 1)
                return answer
            }
            guard input.count <= limits.lineBytes else { throw .tooLong }
            try wait(POLLIN, until: deadline)
            guard let bytes = Socket.read(socket.file, &chunk) else { throw .noAnswer(path) }
            input += bytes
        }
    }

    private func wait(_ event: Int32, until deadline: Int) throws(LocalSocketError) {
        while true {
            let left = deadline - nowMillis()
            guard left > 0 else { throw .noAnswer(path) }
            var files = [pollfd(fd: socket.file, events: Int16(event), revents: 0)]
            if Socket.wait(&files, millis: left), files[0].revents != 0 { return }
        }
    }
}
