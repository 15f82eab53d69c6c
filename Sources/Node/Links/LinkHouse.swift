internal import Bytes
internal import Datapath
internal import Exchange
internal import Link

/// Links to neighbours, for as long as the node runs: packet threads come and go around them.
final class LinkHouse: Sendable {
    /// Sessions, shared by workers and the desk.
    let table: LinkTable
    private let memory: MappedPages

    /// Neighbours with a session.
    var sessions: Int { 0 }

    /// Takes memory for links to so many neighbours, which so many workers use.
    init(peers: Int, workers: Int) throws(DatapathError) {
        let size = LinkSize(peers: peers, workers: workers)
        memory = try MappedPages(LinkTable.byteCount(size))
        var arena = Arena(memory.region)
        let hash = KeyedHash(UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max))
        table = LinkTable(&arena, size, hash: hash)
    }
}
