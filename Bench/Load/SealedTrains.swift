internal import Bytes
internal import Datapath
internal import Link

/// Trains of packets, sealed before the clock starts: a session's counters are known in advance.
final class SealedTrains {
    /// One of them.
    struct Train {
        /// Its first packet.
        var first: Int
        /// Packets in it.
        var packets: Int
        /// Link that it goes by.
        var link: Int
        /// Its datagrams, side by side.
        var bytes: Region
    }

    /// Packets of a train, the last one perhaps apart.
    let perTrain: Int
    private let pages: MappedPages
    private let trains: [Train]

    /// Seals packets in the order in which they are sent.
    ///
    /// - Parameters:
    ///   - count: packets.
    ///   - perTrain: packets of each train, all of one sender.
    init(
        _ traffic: some LoadTraffic,
        count: Int,
        perTrain: Int,
        packetBytes: Int,
        _ sessions: LoadSessions,
        _ worker: inout LinkWorker,
        datagramBytes: Int
    ) throws(LoadError) {
        self.perTrain = perTrain
        let frames = perTrain * (packetBytes + 3)
        let stride = (frames / (datagramBytes - 36) + 1) * datagramBytes
        let places = (count + perTrain - 1) / perTrain
        do throws(DatapathError) {
            pages = try MappedPages(max(1, places) * stride)
        } catch {
            throw LoadError("no memory for sealed packets: \(error)")
        }
        var trains: [Train] = []
        trains.reserveCapacity(places)
        for first in Swift.stride(from: 0, to: count, by: perTrain) {
            let packets = min(perTrain, count - first)
            let place = pages.region.slice(trains.count * stride, stride)
            var writer = FrameWriter(place, datagramBytes: datagramBytes)
            for number in first..<first + packets {
                let fits = writer.add(.packet, traffic.packet(number))
                precondition(fits, "a train is too long")
            }
            let link = traffic.sender(first)
            let bytes = try worker.finish(&writer, place, sessions, link)
            trains.append(Train(first: first, packets: packets, link: link, bytes: bytes))
        }
        self.trains = trains
    }

    /// Trains.
    var count: Int { trains.count }

    /// A train.
    func train(_ number: Int) -> Train { trains[number] }
}

extension LinkWorker {
    /// Seals what was written into a train of a neighbour; returns its datagrams.
    mutating func finish(
        _ writer: inout FrameWriter,
        _ train: Region,
        _ sessions: LoadSessions,
        _ link: Int
    ) throws(LoadError) -> Region {
        let table = sessions.neighbours
        let now = Host.nanos()
        let session = table.sendingSession(sessions.rows[link], nowNanos: now)
        let count = writer.end()
        guard session != LinkTable.none, count > 0,
            let counter = table.reserve(session: session, count: count)
        else { throw LoadError("a link cannot send") }
        seal(session: session, train: train, count: count, firstCounter: counter, nowNanos: now)
        return train.slice(0, count * table.datagramBytes(session: session))
    }
}
