import Bytes
import Crypto
import Sphinx
import TestSupport
import Testing

/// The same paths derived with tables and without.
private final class Pair {
    let plain: BuildScratch
    let helped: BuildScratch
    let tables: NodeTables
    private let memory: Memory

    init(capacity: Int) {
        var measure = Arena()
        for _ in 0..<2 { _ = BuildScratch(&measure, lanes: 64) }
        _ = NodeTables(&measure, capacity: capacity)
        memory = Memory(measure.used)
        var arena = Arena(memory.region)
        plain = BuildScratch(&arena, lanes: 64)
        helped = BuildScratch(&arena, lanes: 64)
        tables = NodeTables(&arena, capacity: capacity)
    }

    /// Derives both ways and compares all that is derived.
    func check(_ paths: [PathNodes], _ random: inout SeededGenerator) -> LaneMask {
        let lanes = LaneMask.first(paths.count)
        for (lane, nodes) in paths.enumerated() {
            var seed = Bytes32()
            for index in 0..<32 { seed[index] = UInt8.random(in: 0...255, using: &random) }
            for scratch in [plain, helped] {
                scratch.nodes[lane] = nodes
                scratch.seed[lane] = seed
            }
        }
        let expected = Build.derive(lanes: lanes, scratch: plain)
        let found = Build.derive(lanes: lanes, tables: tables, scratch: helped)
        #expect(found == expected)
        for lane in paths.indices where expected.contains(lane) {
            #expect(helped.alpha[lane] == plain.alpha[lane])
            for node in 0..<paths[lane].count {
                #expect(helped.secrets[lane][node] == plain.secrets[lane][node])
                #expect(helped.ackHalfKeys[lane][node] == plain.ackHalfKeys[lane][node])
            }
        }
        return found
    }
}

private func keys(_ count: Int) -> [Bytes32] {
    (0..<count).map { PacketKey.make([UInt8](repeating: UInt8($0 + 1), count: 32)).publicKey }
}

private func path(_ keys: [Bytes32], _ random: inout SeededGenerator) -> PathNodes {
    var nodes = PathNodes()
    for _ in 0..<Int.random(in: 1...4, using: &random) {
        let key = keys[Int.random(in: keys.indices, using: &random)]
        _ = nodes.append(keyID: 7, publicKey: key)
    }
    return nodes
}

/// Capacities at which keys push each other out, and at which they have room.
@Test(arguments: [4, 8, 64])
func `what is derived with tables is what is derived without`(capacity: Int) {
    var random = SeededGenerator("node tables \(capacity)")
    let pair = Pair(capacity: capacity)
    let nodes = keys(capacity == 64 ? 24 : capacity * 3 / 2)
    for count in [1, 2, 3, 8, 9, 17, 64, 64] {
        let paths = (0..<count).map { _ in path(nodes, &random) }
        #expect(pair.check(paths, &random) == .first(count))
        #expect(pair.tables.count <= capacity)
    }
    #expect(pair.tables.count > 0)
}

@Test func `a key gets its table at its third use`() {
    var random = SeededGenerator("third use")
    let pair = Pair(capacity: 8)
    var nodes = PathNodes()
    _ = nodes.append(keyID: 1, publicKey: keys(1)[0])
    for use in 1...5 {
        #expect(pair.check([nodes], &random) == 1)
        #expect(pair.tables.count == (use < 3 ? 0 : 1))
    }
}

@Test func `a key that is no point gets no table, however often it is used`() {
    var random = SeededGenerator("no point, no table")
    let pair = Pair(capacity: 4)
    var noPoint = Bytes32()
    noPoint[0] = 2
    var bad = PathNodes()
    var good = PathNodes()
    _ = bad.append(keyID: 1, publicKey: noPoint)
    _ = good.append(keyID: 2, publicKey: keys(1)[0])
    for _ in 0..<3 {
        let lanes = pair.check([bad, good, bad, good, bad, bad], &random)
        #expect(lanes == 0b1010)
    }
    #expect(pair.tables.count == 1)
}
