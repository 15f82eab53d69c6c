import Exchange
import Node

/// A stream of DNS queries through the tunnel, many on their way at a time, each with its answer.
struct DemoTraffic {
    /// What came of it.
    struct Result {
        var sent = 0
        var answered = 0
        var wrong = 0
        var repeated = 0
        /// Query to answer, microseconds, ascending.
        var latencies: [Int] = []
    }

    private struct Waiting {
        let number: Int
        let first: UInt64
        var last: UInt64
        var tries: Int
    }

    /// Queries on their way at once.
    static let window = 64
    /// A query without an answer is sent again after this.
    static let patienceNanos: UInt64 = 1_500_000_000
    /// And given up after so many.
    static let triesMax = 5

    private let socket: UDPSocket
    private let total: Int
    private var waiting: [UInt16: Waiting] = [:]
    private var next = 0
    private(set) var result = Result()

    /// Will send `total` queries to the tunnel's local port.
    init(port: UInt16, total: Int) throws(Failure) {
        self.total = total
        do throws(SystemError) {
            socket = try UDPSocket(connect: Endpoint(ipv4: 127, 0, 0, 1, port: port))
        } catch {
            throw .failed(error.description)
        }
    }

    /// True when every query was answered or given up.
    var isDone: Bool { next == total && waiting.isEmpty }

    /// The name and address of a query: the server answers every name under demo.test alike, so the
    /// id tells them apart.
    static let address: [UInt8] = [192, 0, 2, 53]

    /// Sends what may be sent and takes what has come, for some milliseconds.
    mutating func turn(millis: Int) {
        let now = MonotonicClock.nanos()
        while waiting.count < Self.window, next < total { send(now) }
        repeatLate(now)
        _ = UDPSocket.wait([socket.file], millis: millis)
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while let (bytes, _) = socket.receive(&buffer) { take(bytes) }
    }

    private mutating func send(_ now: UInt64) {
        let id = UInt16(truncatingIfNeeded: next)
        guard waiting[id] == nil else { return }
        waiting[id] = Waiting(number: next, first: now, last: now, tries: 1)
        socket.send(DNS.query(id: id, name: "q\(next).demo.test"))
        next += 1
        result.sent += 1
    }

    private mutating func repeatLate(_ now: UInt64) {
        for (id, entry) in waiting where entry.last + Self.patienceNanos < now {
            guard entry.tries < Self.triesMax else {
                waiting[id] = nil
                continue
            }
            waiting[id]?.last = now
            waiting[id]?.tries += 1
            result.repeated += 1
            socket.send(DNS.query(id: id, name: "q\(entry.number).demo.test"))
        }
    }

    private mutating func take(_ bytes: [UInt8]) {
        guard let answer = DNS.answer(bytes), let entry = waiting.removeValue(forKey: answer.id)
        else { return }
        if answer.address != Self.address { result.wrong += 1 }
        result.answered += 1
        result.latencies.append(Int((MonotonicClock.nanos() - entry.first) / 1_000))
    }

    /// A latency below which this share of the answers came.
    static func quantile(_ ascending: [Int], _ share: Double) -> Int {
        guard !ascending.isEmpty else { return 0 }
        return ascending[min(ascending.count - 1, Int(share * Double(ascending.count)))]
    }
}
