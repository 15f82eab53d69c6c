internal import Bytes
internal import Crypto

/// One entry for every node of every lane, a lane's four side by side: a kernel can be given one
/// node of all lanes, or all nodes of sixteen lanes, so that few long paths fill its lanes, too.
struct PairColumn: Sendable {
    /// All entries.
    let region: Region
    /// Bytes from one entry to the next.
    let stride: Int

    /// Takes the entries of `lanes` lanes from an arena.
    init(_ arena: inout Arena, lanes: Int, stride: Int) {
        region = arena.region(lanes * Geometry.nodesMax * stride)
        self.stride = stride
    }

    /// Views a column of four entries a lane.
    @_noLocks
    init(_ column: Column<[4 of Bytes32]>) {
        region = column.region
        stride = 32
    }

    /// One entry.
    @_noLocks
    func entry(_ lane: Int, _ node: Int) -> Region {
        region.slice((lane * Geometry.nodesMax + node) * stride, stride)
    }

    /// Lane i is the node of that index on path i.
    @_noLocks
    func of(node: Int) -> Lanes {
        Lanes(rest(node * stride), stride: Geometry.nodesMax * stride)
    }

    /// Lane i is pair i of a window: node `i % 4` on path `16 * window + i / 4`.
    @_noLocks
    func of(window: Int) -> Lanes {
        Lanes(rest(window * Batch.capacity * stride), stride: stride)
    }

    @_noLocks
    private func rest(_ offset: Int) -> Region {
        region.slice(offset, region.byteCount - offset)
    }
}

extension BuildScratch {
    /// Shared secrets by pair.
    var secretPairs: PairColumn {
        @_noLocks
        get { PairColumn(secrets) }
    }

    /// Windows that `lanes` fill, the last one in part.
    var windows: Range<Int> {
        @_noLocks
        get { 0..<(lanes * Geometry.nodesMax + Batch.capacity - 1) / Batch.capacity }
    }

    /// The pairs of a window that are nodes of `lanes`.
    @_noLocks
    func pairs(window: Int, of lanes: LaneMask) -> LaneMask {
        let paths = Batch.capacity / Geometry.nodesMax
        var left = lanes >> LaneMask(window * paths) & .first(paths)
        var pairs: LaneMask = 0
        while let path = left.popFirst() {
            let nodes = LaneMask.first(count[window * paths + path])
            pairs |= nodes << LaneMask(path * Geometry.nodesMax)
        }
        return pairs
    }
}
