internal import Sphinx

/// What the entry thinks the exit has left of one pseudonym's SURBs.
///
/// Every answer says how many are left. SURBs sent within the last second may not have arrived when
/// that was said, so they are added to it; those sent earlier and not counted are lost.
struct Stock: Sendable {
    /// When the pseudonym was first used.
    let created: UInt64
    /// SURBs the exit has, or will have when all has arrived.
    private(set) var estimate = 0
    /// Last traffic.
    private(set) var active: UInt64

    private let base: Int
    private let most: Int
    private var recent: [(at: UInt64, count: Int)] = []
    private var news: UInt64
    private var asked = false
    private var askedSinceTry = false
    private var tries = 0
    private var second: UInt64 = 0
    private var used = (before: 0, now: 0)

    /// Messages of one refill.
    static let burst = 8
    /// SURBs that take longer than this to arrive count as lost.
    static let flightNanos: UInt64 = 1_000_000_000
    /// Refills into a silence that no new datagram prolongs.
    static let triesMax = 5
    /// Longest wait between two refills into a silence; the first comes after a second, each
    /// further one after twice the wait before.
    static let silenceNanosMax: UInt64 = 60_000_000_000

    /// The stock for two answers of full length.
    static func base(geometry: Geometry) -> Int {
        let room = geometry.messageBytesMax - Frame.backwardBytes
        return max(8, 2 * ((Frame.datagramBytesMax + room - 1) / room))
    }

    init(base: Int, most: Int, now: UInt64) {
        self.base = base
        self.most = max(base, most)
        created = now
        active = now
        news = now
    }

    /// The stock to keep: enough for what two seconds use at the present rate.
    var desired: Int { min(most, max(base, 2 * max(used.before, used.now))) }
    /// SURBs to send.
    var wanted: Int { max(0, desired - estimate) }
    /// True if they are worth a message of their own.
    var isLow: Bool { estimate * 2 <= desired }

    mutating func forwarded(now: UInt64) {
        active = now
        if !asked { news = max(news, now) }
        asked = true
        askedSinceTry = true
    }

    mutating func sent(surbs: Int, now: UInt64) {
        guard surbs > 0 else { return }
        estimate += surbs
        recent.append((now, surbs))
        prune(now)
    }

    /// A reply used one up.
    mutating func replied(signal: UInt8, now: UInt64) {
        let tick = now / 1_000_000_000
        if tick != second {
            used.before = tick == second + 1 ? used.now : 0
            used.now = 0
            second = tick
        }
        used.now += 1
        active = now
        news = now
        asked = false
        tries = 0
        estimate = max(0, estimate - 1)
        if signal == Signal.out.index { report(left: 0, now: now) }
    }

    /// The exit has so many left.
    mutating func report(left: Int, now: UInt64) {
        prune(now)
        estimate = min(estimate, left + recent.reduce(0) { $0 + $1.count })
    }

    /// True now and then while nothing comes back for what was sent: what we sent may be lost, or
    /// the target does not answer.
    mutating func isSilent(now: UInt64) -> Bool {
        guard asked, tries < Stock.triesMax || askedSinceTry else { return false }
        let wait = min(Stock.silenceNanosMax, 1_000_000_000 << UInt64(min(tries, 6)))
        guard news &+ wait <= now else { return false }
        news = now
        tries += 1
        askedSinceTry = false
        prune(now)
        estimate = min(estimate / 2, recent.reduce(0) { $0 + $1.count })
        return true
    }

    private mutating func prune(_ now: UInt64) {
        recent.removeAll { $0.at &+ Stock.flightNanos <= now }
    }
}

/// Secrets of the SURBs that are out, by sender id: bounded in number and time, each used once.
struct Openers: Sendable {
    private var table: [SenderID: ReplyOpener] = [:]
    private var order: [(id: SenderID, at: UInt64)] = []
    private var head = 0
    private let capacity: Int
    private let lifeNanos: UInt64

    init(capacity: Int, lifeNanos: UInt64) {
        self.capacity = capacity
        self.lifeNanos = lifeNanos
    }

    var count: Int { table.count }

    mutating func insert(_ opener: ReplyOpener, now: UInt64) {
        if table.count >= capacity || order.count - head >= 2 * capacity { dropOldest() }
        table[opener.senderID] = opener
        order.append((opener.senderID, now))
    }

    mutating func take(_ id: SenderID, now: UInt64) -> ReplyOpener? {
        expire(now: now)
        return table.removeValue(forKey: id)
    }

    mutating func expire(now: UInt64) {
        while head < order.count,
            order[head].at &+ lifeNanos <= now || table[order[head].id] == nil
        {
            table[order[head].id] = nil
            head += 1
        }
        compact()
    }

    private mutating func dropOldest() {
        while head < order.count {
            let id = order[head].id
            head += 1
            if table.removeValue(forKey: id) != nil { break }
        }
        compact()
    }

    private mutating func compact() {
        guard head > 64, head * 2 > order.count else { return }
        order.removeFirst(head)
        head = 0
    }
}
