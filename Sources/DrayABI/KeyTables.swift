// swift-format-ignore-file: AlwaysUseLowerCamelCase, AllPublicDeclarationsHaveDocumentation
internal import Bytes
public import CDray
internal import Crypto
internal import Engine
internal import Exchange

// Tables of the keys whose signatures are checked, in the context's memory. One thread at a time is
// inside a context, so a place may be written as soon as no row of the snapshot names it.
extension RelayContext {
    /// New tables are in use: builds those of their keys while there is room, and names all.
    func openTables(_ snapshot: Snapshot) {
        for slot in 0..<snapshot.channels.count where isIncoming(snapshot, slot) {
            if owners[slot].hasKey == 1 { _ = build(signers, owners[slot].publicKey) }
        }
        for index in 0..<snapshot.nodes.count {
            let node = snapshot.nodes[index]
            guard node.incoming != Snapshot.none || node.outgoing != Snapshot.none else { continue }
            _ = build(verifiers, TableCache.key(node.packetKey))
        }
        name(snapshot)
    }

    /// Takes a report of a key without a table; false if the report is another.
    func learn(_ view: ReportView) -> Bool {
        guard view.kind == 6 || view.kind == 7 else { return false }
        guard let snapshot else { return true }
        if view.kind == 6 {
            learn(signer: view.publicKey, Int(view.channel), snapshot)
        } else {
            let node = snapshot.node(keyID: view.keyID)
            guard node != Snapshot.none else { return true }
            let key = TableCache.key(snapshot.nodes[Int(node)].packetKey)
            if makeTable(verifiers, key) { name(snapshot) }
        }
        return true
    }

    private func learn(signer key: Bytes64, _ slot: Int, _ snapshot: Snapshot) {
        guard slot < snapshot.channels.count, isIncoming(snapshot, slot),
            address(of: key) == owners[slot].peer
        else { return }
        owners[slot].publicKey = key
        owners[slot].hasKey = 1
        if makeTable(signers, key) { name(snapshot) }
    }

    private func isIncoming(_ snapshot: Snapshot, _ slot: Int) -> Bool {
        snapshot.channels[slot].used == 1 && snapshot.channels[slot].directionValue == 0
    }

    private func address(of key: Bytes64) -> Address {
        var (key, digest) = (key, Bytes32())
        return key.withRegion { key in
            digest.withRegion { digest in
                Hash.keccak256(key, into: digest)
                return digest.load(12)
            }
        }
    }

    /// Builds a table, in the place of one that is not used if need be; false if nothing changed.
    private func makeTable(_ cache: TableCache, _ key: Bytes64) -> Bool {
        if build(cache, key) { return true }
        guard !cache.contains(key), cache.makeRoom(1) > 0 else { return false }
        cache.stamp(generation: 0)
        cache.reclaim(oldestInUse: 0)
        _ = build(cache, key)
        return true
    }

    /// Builds a table where a place is empty; false if there is one already or no place.
    private func build(_ cache: TableCache, _ key: Bytes64) -> Bool {
        guard !cache.contains(key) else { return false }
        let place = cache.claim(key)
        guard place != Snapshot.none else { return false }
        let isBuilt = cache.build(place)
        cache.finish(place, isBuilt: isBuilt)
        return isBuilt
    }

    /// Writes into the rows where their keys' tables are.
    private func name(_ snapshot: Snapshot) {
        for slot in 0..<snapshot.channels.count where isIncoming(snapshot, slot) {
            let owner = owners[slot]
            snapshot.channels[slot].signer =
                owner.hasKey == 1 ? signers.place(of: owner.publicKey) : Snapshot.none
        }
        for index in 0..<snapshot.nodes.count {
            let key = TableCache.key(snapshot.nodes[index].packetKey)
            snapshot.nodes[index].verifier = verifiers.place(of: key)
        }
    }
}

extension ContextMemory {
    /// Calls `body` with every part that is not a table: tables hold nothing secret and need not be
    /// zero, and memory that nobody touches costs nothing.
    func withoutTables(_ whole: Region, _ body: (Region) -> Void) {
        var start = 0
        for cache in 0..<2 {
            let tables = (cache == 0 ? signers : verifiers).tables.slab.region
            if tables.byteCount == 0 { continue }
            let end = Int(tables.address - whole.address)
            body(whole.slice(start, end - start))
            start = end + tables.byteCount
        }
        body(whole.slice(start, whole.byteCount - start))
    }
}

@c @implementation
public func dray_relay_table_counts(
    _ relay: OpaquePointer!,
    _ kind: UInt32,
    _ counts: UnsafeMutablePointer<dray_table_counts>!
) -> dray_status {
    guard let counts = unsafe counts else { return DRAY_ERROR_NULL }
    return unsafe enter(relay) { context in
        guard kind <= 1 else { return DRAY_ERROR_RANGE }
        let isIssuers = kind == 0
        let cache = isIssuers ? context.signers : context.verifiers
        let counters = context.engine.counters
        unsafe counts.pointee = dray_table_counts(
            used: UInt64(cache.used),
            capacity: UInt64(cache.tables.count),
            evictions: cache.evictions,
            hits: counters.value(isIssuers ? .ticketsByTable : .acksByTable),
            misses: counters.value(isIssuers ? .ticketsByRecovery : .acksByKey)
        )
        return DRAY_OK
    }
}
