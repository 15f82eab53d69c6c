// swift-format-ignore-file: AlwaysUseLowerCamelCase, AllPublicDeclarationsHaveDocumentation
internal import Bytes
public import CDray
internal import Crypto
internal import Engine
internal import Exchange

/// Who a channel slot was last given to.
struct SlotOwner: BitwiseCopyable {
    var used: UInt8 = 0
    var direction: UInt8 = 0
    var channelEpoch: UInt32 = 0
    var peer = Address()
    /// The peer's public key is known: a ticket has shown it.
    var hasKey: UInt8 = 0
    var publicKey = Bytes64()
}

/// How a context's memory is divided.
struct ContextMemory {
    let head: Region
    let context: Region
    let engine: Region
    let books: Region
    let reports: Region
    let counters: Region
    let snapshots: [2 of Region]
    let owners: Column<SlotOwner>
    let signers: TableCache
    let verifiers: TableCache
    let replay: Region
    let seed: Region

    static func byteCount(_ config: CheckedConfig, ownReplay: Bool) -> Int {
        var arena = Arena()
        _ = ContextMemory(&arena, config, ownReplay: ownReplay)
        return arena.used
    }

    init(_ arena: inout Arena, _ config: CheckedConfig, ownReplay: Bool) {
        head = arena.region(64)
        context = arena.region(MemoryLayout<RelayContext>.size)
        engine = arena.region(Engine.byteCount(for: config.engine))
        books = arena.region(ChannelBooks.byteCount(slots: config.channelsMax))
        reports = arena.region(RecordRing.byteCount(capacity: config.reportBytes))
        counters = arena.region(Counters.byteCount)
        seed = arena.region(32)
        let bytes = SnapshotWriter.byteCount(nodes: config.nodesMax, channels: config.channelsMax)
        snapshots = [arena.region(bytes), arena.region(bytes)]
        owners = arena.column(SlotOwner.self, config.channelsMax)
        let hash = config.engine.hash
        signers = TableCache(&arena, .signer, places: config.issuersMax, hash: hash)
        verifiers = TableCache(&arena, .verifier, places: config.neighboursMax, hash: hash)
        replay = arena.region(ownReplay ? ReplaySet.byteCount(capacity: config.replayMax) : 0)
    }
}

/// What a `dray_relay` is.
@safe
struct RelayContext: ~Copyable {
    let config: CheckedConfig
    let whole: Region
    let books: ChannelBooks
    let snapshots: [2 of Region]
    let owners: Column<SlotOwner>
    let signers: TableCache
    let verifiers: TableCache
    var engine: Engine
    var reports: ReportReader
    var identity: SnapshotIdentity?
    var policy = Policy(price: 0)
    /// Which of `snapshots` is in use; nil before the first tables.
    var active: Int?

    var snapshot: Snapshot? { active.map { Snapshot(snapshots[$0]) } }
}

/// The first 64 bytes of a context: a mark, its own address, and whether a call is inside.
enum Head {
    static let mark: UInt64 = 0x3179_6c65_7279_6172  // "rayrely1"
    static let markCell = 0
    static let addressCell = 1
    static let busyCell = 2
}

/// Calls `body` with the context, unless the pointer is none or another call is inside.
func enter(
    _ relay: OpaquePointer?,
    _ body: (inout RelayContext) -> dray_status
) -> dray_status {
    guard let relay = unsafe relay else { return DRAY_ERROR_NULL }
    let raw = unsafe UnsafeMutableRawPointer(relay)
    guard UInt(bitPattern: raw) % 64 == 0 else { return DRAY_ERROR_ALIGN }
    let head = unsafe AtomicCells(Region(base: raw, byteCount: 64))
    let address = UInt64(UInt(bitPattern: raw))
    guard head.loadAcquiring(Head.markCell) == Head.mark, head.load(Head.addressCell) == address
    else { return DRAY_ERROR_STATE }
    guard head.exchange(Head.busyCell, expected: 0, desired: 1) else { return DRAY_ERROR_BUSY }
    let context = unsafe (raw + 64).assumingMemoryBound(to: RelayContext.self)
    let status = unsafe body(&context.pointee)
    head.storeReleasing(0, Head.busyCell)
    return status
}

@c @implementation
public func dray_relay_init(
    _ memory: UnsafeMutableRawPointer!,
    _ size: Int,
    _ config: UnsafePointer<dray_config>!,
    _ seed: UnsafePointer<UInt8>!,
    _ replay: UnsafeMutableRawPointer!,
    _ replay_size: Int,
    _ relay: UnsafeMutablePointer<OpaquePointer?>!
) -> dray_status {
    guard let memory = unsafe memory, let config = unsafe config, let seed = unsafe seed,
        let relay = unsafe relay
    else { return DRAY_ERROR_NULL }
    guard UInt(bitPattern: memory) % 64 == 0 else { return DRAY_ERROR_ALIGN }
    guard let checked = unsafe CheckedConfig(config.pointee) else { return DRAY_ERROR_RANGE }
    let isOutside = unsafe config.pointee.replay_outside == 1
    let need = ContextMemory.byteCount(checked, ownReplay: !isOutside)
    guard size >= need else { return DRAY_ERROR_SIZE }
    var outside: Region?
    if isOutside {
        let replayBytes = ReplaySet.byteCount(capacity: checked.replayMax)
        guard let replay = unsafe replay else { return DRAY_ERROR_NULL }
        guard UInt(bitPattern: replay) % 64 == 0 else { return DRAY_ERROR_ALIGN }
        guard replay_size >= replayBytes else { return DRAY_ERROR_SIZE }
        outside = unsafe Region(base: replay, byteCount: replayBytes)
    }
    let copy = unsafe UnsafeRawPointer(seed).loadUnaligned(as: Bytes32.self)
    let whole = unsafe Region(base: memory, byteCount: need)
    guard makeContext(whole, checked, copy, outside) else {
        zeroize(whole)
        return DRAY_ERROR_REPLAY
    }
    unsafe relay.pointee = OpaquePointer(memory)
    return DRAY_OK
}

private func makeContext(
    _ whole: Region,
    _ config: CheckedConfig,
    _ seed: Bytes32,
    _ outside: Region?
) -> Bool {
    var arena = Arena(whole)
    let parts = ContextMemory(&arena, config, ownReplay: outside == nil)
    parts.withoutTables(whole) { $0.fill(0) }
    let books = ChannelBooks(parts.books, slots: config.channelsMax)
    guard
        let replay = ReplaySet(
            outside ?? parts.replay,
            capacity: config.replayMax,
            hash: config.engine.hash
        )
    else { return false }
    let seedCopy = parts.seed
    seedCopy.store(seed, 0)
    let place = unsafe parts.context.base.assumingMemoryBound(to: RelayContext.self)
    unsafe place.initialize(
        to: RelayContext(
            config: config,
            whole: whole,
            books: books,
            snapshots: parts.snapshots,
            owners: parts.owners,
            signers: parts.signers,
            verifiers: parts.verifiers,
            engine: Engine(
                parts.engine,
                config: config.engine,
                seed: seedCopy,
                books: books,
                replay: replay,
                reports: parts.reports,
                counters: parts.counters
            ),
            reports: ReportReader(parts.reports)
        )
    )
    let head = AtomicCells(parts.head)
    head.store(whole.address, Head.addressCell)
    head.storeReleasing(Head.mark, Head.markCell)
    return true
}

@c @implementation
public func dray_relay_wipe(_ relay: OpaquePointer!) -> dray_status {
    var whole = Region.nowhere
    let status = unsafe enter(relay) { context in
        whole = context.whole
        return DRAY_OK
    }
    if status == DRAY_OK { zeroize(whole) }
    return status
}
