internal import Bytes
internal import CLoadIO
internal import Datapath

/// The bare forwarder under load: what this machine can do without a relay in between.
@safe
final class BareLoad {
    /// What a run has shown.
    struct Outcome {
        /// Time measured.
        var nanos: UInt64 = 0
        /// Datagrams that came out in that time.
        var arrived: UInt64 = 0
        /// Processor time that the forwarder used in it.
        var cpuNanos: UInt64 = 0
        /// From sending to arrival.
        var latency = LatencyHistogram()

        /// Datagrams a second.
        var rate: Double { Double(arrived) * 1e9 / Double(max(1, nanos)) }
    }

    /// Datagrams in stock; each is sent again when it has come back.
    private static let stock = 4_096
    private static let firstIP: UInt32 = 0x7f02_0001
    private static let threadName = "bare"

    private let plan: LoadPlan
    /// Datagrams of one sender in a row.
    private let perTrain: Int
    private let cipher: bare_cipher
    private let datagramBytes: Int
    private let socket: LoadSocket
    private let bare: OpaquePointer
    private let address: load_address
    private let thread: Int32
    private let memory: Memory
    private let datagrams: Region
    private let sentNanos: Column<UInt64>
    private let keyOut: Region
    private var next = 0
    private var arrived = 0
    private var faults: [String] = []

    /// Starts it, on a CPU if one is named.
    ///
    /// - Parameter usesLibcrypto: for the cipher; otherwise libsodium.
    init(
        _ plan: LoadPlan,
        perTrain: Int = 30,
        datagramBytes: Int,
        usesLibcrypto: Bool,
        cpu: Int?
    ) throws(LoadError) {
        self.plan = plan
        self.perTrain = perTrain
        self.datagramBytes = datagramBytes
        cipher = usesLibcrypto ? BARE_CRYPTO : BARE_SODIUM
        socket = try LoadSocket(segments: Int(LOAD_SEGMENTS_MAX), bufferBytes: 8 << 20)
        let count = BareLoad.stock
        memory = Memory(datagramBytes * count + 8 * count + 4_096)
        var arena = Arena(memory.region)
        datagrams = arena.region(datagramBytes * count)
        sentNanos = arena.column(UInt64.self, count)
        let keyIn = arena.region(32)
        keyOut = arena.region(32)
        var source = Source(seed: plan.seed)
        for region in [datagrams, keyIn, keyOut] { source.fill(region) }
        unsafe bare = try BareLoad.open(
            plan,
            datagramBytes,
            cipher,
            port: socket.port,
            keyIn,
            keyOut
        )
        unsafe address = load_address(ip: 0x7f00_0001, port: bare_port(bare))
        for number in 0..<count {
            let bytes = datagrams.slice(number * datagramBytes, datagramBytes)
            let status = unsafe bare_seal(
                cipher,
                keyIn.base,
                0,
                UInt64(number),
                bytes.base,
                UInt32(datagramBytes)
            )
            precondition(status == 0, "a datagram is not sealed")
        }
        try BareLoad.start(unsafe BareHandle(bare: bare), cpu)
        thread = LoadThread.find(BareLoad.threadName)
    }

    deinit {
        unsafe bare_stop(bare)
        while unsafe bare_is_done(bare) == 0 { LoadThread.rest() }
        unsafe bare_close(bare)
    }

    private static func start(_ handle: BareHandle, _ cpu: Int?) throws(LoadError) {
        do throws(DatapathError) {
            try Host.startThread(threadName, cpu: cpu) { handle.run() }
        } catch {
            throw LoadError("the bare forwarder does not start: \(error)")
        }
    }

    private static func open(
        _ plan: LoadPlan,
        _ datagramBytes: Int,
        _ cipher: bare_cipher,
        port: UInt16,
        _ keyIn: Region,
        _ keyOut: Region
    ) throws(LoadError) -> OpaquePointer {
        var config = bare_config()
        config.cipher = cipher
        config.datagram_bytes = UInt32(datagramBytes)
        config.buffer_bytes = 8 << 20
        config.outs = UInt32(plan.nextHops)
        unsafe withUnsafeMutableBytes(of: &config.key_in) {
            unsafe $0.copyMemory(from: UnsafeRawBufferPointer(start: keyIn.base, count: 32))
        }
        unsafe withUnsafeMutableBytes(of: &config.key_out) {
            unsafe $0.copyMemory(from: UnsafeRawBufferPointer(start: keyOut.base, count: 32))
        }
        let outs = (0..<plan.nextHops).map {
            load_address(ip: firstIP + UInt32($0), port: port)
        }
        var opened: OpaquePointer?
        let status = unsafe bare_open(&config, outs, &opened)
        guard status >= 0, let opened = unsafe opened else {
            throw LoadError("the bare forwarder does not open: error \(-status)")
        }
        return unsafe opened
    }

    // MARK: runs

    /// As many as it can take: at most so many on their way.
    func saturate(window: Int, nanos: UInt64) throws(LoadError) -> Outcome {
        let start = Host.nanos()
        while Host.nanos() < start + nanos / 5 { try turn(window) }
        var outcome = Outcome()
        let (before, cpu, open) = (arrived, load_thread_nanos(thread), Host.nanos())
        while Host.nanos() < open + nanos { try turn(window) }
        outcome.nanos = Host.nanos() - open
        outcome.arrived = UInt64(arrived - before)
        outcome.cpuNanos = load_thread_nanos(thread) - cpu
        try drain()
        return outcome
    }

    /// So many a second, one by one.
    func pace(rate: Double, nanos: UInt64) throws(LoadError) -> Outcome {
        var outcome = Outcome()
        let (start, before, first) = (Host.nanos(), arrived, next)
        while true {
            let now = Host.nanos()
            guard now < start + nanos else { break }
            if Double(now - start) * rate / 1e9 > Double(next - first) { send(1) }
            try receive { outcome.latency.add($0) }
        }
        outcome.nanos = Host.nanos() - start
        try drain()
        outcome.arrived = UInt64(arrived - before)
        return outcome
    }

    private func turn(_ window: Int) throws(LoadError) {
        while next - arrived + perTrain <= window { send(perTrain) }
        try receive { _ in }
    }

    private func send(_ count: Int) {
        let now = Host.nanos()
        let from = LoadNetwork.ip(next / max(1, perTrain) % plan.senders)
        for number in next..<(next + count) {
            let place = number % BareLoad.stock
            sentNanos[place] = now
            socket.put(
                datagrams.slice(place * datagramBytes, datagramBytes),
                from: from,
                to: address
            )
        }
        socket.flush()
        next += count
    }

    private func receive(_ body: (UInt64) -> Void) throws(LoadError) {
        let count = try socket.take()
        let now = Host.nanos()
        for index in 0..<count {
            let train = socket.train(index)
            var offset = 0
            while offset < train.bytes.byteCount {
                let left = train.bytes.byteCount - offset
                let datagram = train.bytes.slice(offset, min(train.segmentBytes, left))
                offset += datagram.byteCount
                take(datagram, now, body)
            }
        }
    }

    private func take(_ datagram: Region, _ now: UInt64, _ body: (UInt64) -> Void) {
        arrived += 1
        guard datagram.byteCount == datagramBytes else {
            return faults.append("a datagram of \(datagram.byteCount) bytes")
        }
        let counter: UInt64 = datagram.load(8)
        guard counter < BareLoad.stock else { return faults.append("a counter of \(counter)") }
        body(now - sentNanos[Int(counter)])
        guard arrived % 997 == 1 else { return }
        let status = unsafe bare_check(
            cipher,
            keyOut.base,
            datagram.base,
            UInt32(datagramBytes)
        )
        if status < 0 { faults.append("a datagram that does not open") }
    }

    private func drain() throws(LoadError) {
        let end = Host.nanos() + 500_000_000
        while arrived < next, Host.nanos() < end { try receive { _ in } }
        var report = bare_report()
        unsafe bare_read(bare, &report)
        let lost = unsafe bare_drops(bare) + socket.drops
        if arrived < next || report.forged > 0 || report.refused > 0 || lost > 0 {
            faults.append(
                "of \(next) datagrams \(arrived) came back, \(report.forged) were forged, "
                    + "\(lost) lost in sockets"
            )
        }
        guard faults.isEmpty else {
            throw LoadError("bare forwarder: \(faults.prefix(5).joined(separator: "; "))")
        }
    }
}

/// Lets a thread have the forwarder.
@safe
private struct BareHandle: @unchecked Sendable {
    let bare: OpaquePointer

    func run() { _ = unsafe bare_run(bare, .max) }
}
