internal import Bytes
public import Exchange
internal import Glibc

// Each call lends memory to C for its own time.

/// A UDP socket of the control plane: never blocks, closed with the object.
public final class UDPSocket: Sendable {
    /// The descriptor, for `poll`.
    public let file: Int32

    /// Binds to an address, or connects to one, or both.
    public init(bind local: Endpoint? = nil, connect remote: Endpoint? = nil) throws(SystemError) {
        let family = (local ?? remote)?.family == 6 ? AF_INET6 : AF_INET
        let kind = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        file = socket(family, kind | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard file >= 0 else { throw .last("open", "a UDP socket") }
        if let local, unsafe !local.with({ unsafe Glibc.bind(file, $0, $1) == 0 }) {
            let error = SystemError.last("listen on", "UDP \(local.described)")
            close(file)
            throw error
        }
        if let remote, unsafe !remote.with({ unsafe Glibc.connect(file, $0, $1) == 0 }) {
            let error = SystemError.last("connect to", "UDP \(remote.described)")
            close(file)
            throw error
        }
        var bytes: Int32 = 1 << 20
        unsafe setsockopt(file, SOL_SOCKET, SO_RCVBUF, &bytes, 4)
    }

    deinit { close(file) }

    /// The port it is bound to.
    public var port: UInt16 {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let known = unsafe withUnsafeMutablePointer(to: &storage) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(file, $0, &length) == 0
            }
        }
        return known ? Endpoint(storage)?.port ?? 0 : 0
    }

    /// Sends to where it is connected; false if the kernel did not take it.
    @discardableResult
    public func send(_ bytes: [UInt8]) -> Bool {
        unsafe bytes.withUnsafeBytes { raw in
            unsafe Glibc.send(file, raw.baseAddress, raw.count, Int32(MSG_NOSIGNAL)) == raw.count
        }
    }

    /// Sends to an address; false if the kernel did not take it.
    @discardableResult
    public func send(_ bytes: [UInt8], to endpoint: Endpoint) -> Bool {
        unsafe bytes.withUnsafeBytes { raw in
            unsafe endpoint.with { address, length in
                let flags = Int32(MSG_NOSIGNAL)
                return unsafe sendto(file, raw.baseAddress, raw.count, flags, address, length)
                    == raw.count
            }
        }
    }

    /// The next datagram and its sender; nil if none is there. Errors of earlier sends are skipped.
    public func receive(_ buffer: inout [UInt8]) -> (bytes: [UInt8], from: Endpoint)? {
        for _ in 0..<16 {
            var storage = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let count = unsafe withUnsafeMutablePointer(to: &storage) { storage in
                unsafe storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                    unsafe recvfrom(file, &buffer, buffer.count, 0, address, &length)
                }
            }
            if count >= 0 { return (Array(buffer[..<count]), Endpoint(storage) ?? Endpoint()) }
            if errno != ECONNREFUSED && errno != EINTR { return nil }
        }
        return nil
    }

    /// Waits until one of the descriptors can be read; returns which can.
    public static func wait(_ files: [Int32], millis: Int) -> [Bool] {
        var polled = files.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        let count = unsafe poll(&polled, nfds_t(polled.count), Int32(clamping: millis))
        return count > 0 ? polled.map { $0.revents != 0 } : files.map { _ in false }
    }
}

extension Endpoint {
    /// For messages.
    var described: String {
        let host = (family == 6 ? address.array : Array(address.array[..<4]))
        let text =
            family == 6
            ? "["
                + (0..<8).map {
                    String(UInt(host[2 * $0]) << 8 | UInt(host[2 * $0 + 1]), radix: 16)
                }
                .joined(separator: ":") + "]"
            : host.map { "\($0)" }.joined(separator: ".")
        return "\(text):\(port)"
    }

    /// The address in the system's form.
    fileprivate func with<R>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
        if family == 6 {
            var six = sockaddr_in6()
            six.sin6_family = sa_family_t(AF_INET6)
            six.sin6_port = port.bigEndian
            unsafe withUnsafeMutableBytes(of: &six.sin6_addr) {
                unsafe $0.copyBytes(from: address.array)
            }
            return unsafe lend(six, body)
        }
        var four = sockaddr_in()
        four.sin_family = sa_family_t(AF_INET)
        four.sin_port = port.bigEndian
        unsafe withUnsafeMutableBytes(of: &four.sin_addr) {
            unsafe $0.copyBytes(from: address.array[..<4])
        }
        return unsafe lend(four, body)
    }

    private func lend<T, R>(_ value: T, _ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
        unsafe withUnsafePointer(to: value) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, socklen_t(MemoryLayout<T>.size))
            }
        }
    }

    /// From the system's form.
    fileprivate init?(_ storage: sockaddr_storage) {
        let bytes = unsafe withUnsafeBytes(of: storage) { unsafe Array($0) }
        let port = UInt16(bytes[2]) << 8 | UInt16(bytes[3])
        var address = Bytes16()
        switch Int32(storage.ss_family) {
        case AF_INET:
            for index in 0..<4 { address[index] = bytes[4 + index] }
            self.init(family: 4, address: address, port: port)
        case AF_INET6:
            for index in 0..<16 { address[index] = bytes[8 + index] }
            self.init(family: 6, address: address, port: port)
        default: return nil
        }
    }

    /// A numeric address as written in a configuration; nil for a name.
    public init?(_ place: HostPort) {
        guard let bytes = NumericAddress.bytes(place.host) else { return nil }
        var address = Bytes16()
        for (index, byte) in bytes.enumerated() { address[index] = byte }
        self.init(family: bytes.count == 4 ? 4 : 6, address: address, port: place.port)
    }
}

/// Looks up names; at start and reload, never for a packet.
enum Resolver {
    /// The first address of a name or number; nil if there is none.
    static func resolve(_ place: HostPort) -> Endpoint? {
        if let endpoint = Endpoint(place) { return endpoint }
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard unsafe getaddrinfo(place.host, "\(place.port)", &hints, &list) == 0 else {
            return nil
        }
        defer { unsafe freeaddrinfo(list) }
        guard let first = unsafe list?.pointee, let address = unsafe first.ai_addr else {
            return nil
        }
        var storage = sockaddr_storage()
        let count = unsafe min(Int(first.ai_addrlen), MemoryLayout<sockaddr_storage>.size)
        unsafe withUnsafeMutableBytes(of: &storage) {
            unsafe $0.copyMemory(from: UnsafeRawBufferPointer(start: address, count: count))
        }
        return Endpoint(storage)
    }
}

/// Wakes a thread that waits for descriptors.
final class Bell: Sendable {
    /// Can be read while the bell has rung.
    let file: Int32
    private let mouth: Int32

    init() throws(SystemError) {
        var ends: [Int32] = [0, 0]
        guard unsafe pipe(&ends) == 0 else { throw .last("open", "a pipe") }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        (file, mouth) = (ends[0], ends[1])
    }

    deinit {
        close(file)
        close(mouth)
    }

    func ring() {
        var byte: UInt8 = 1
        _ = unsafe write(mouth, &byte, 1)
    }

    func clear() {
        var bytes = [UInt8](repeating: 0, count: 256)
        while unsafe read(file, &bytes, bytes.count) == bytes.count {}
    }
}
