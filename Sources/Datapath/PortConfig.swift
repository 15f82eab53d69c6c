internal import Bytes
internal import CRing

/// How a port is set up. Its memory follows from it: `Port.byteCount(for:)`.
public struct PortConfig: Sendable {
    /// The way to the kernel.
    public enum Backend: Sendable {
        /// io_uring, or system calls where it is forbidden or too old.
        case automatic
        /// io_uring or nothing.
        case uring
        /// `recvmmsg` and `sendmmsg`.
        case syscalls
        /// A network in memory; the socket is a `DatagramSocket(simulated:)`.
        case simulated(SimulatedNetwork)
    }

    /// The way to the kernel.
    public var backend = Backend.automatic
    /// Buffers for what comes in; a power of two up to 32,768. Two batches of arrivals, so that the
    /// kernel has some while the other batch is held; a lone datagram takes one as a train does.
    public var receiveBuffers = 128
    /// Bytes of an arrival that are kept, without coalescing. One more than the longest datagram
    /// lets a longer one show as such.
    public var receiveBytes = 1_920
    /// Trains there are; up to 4,096.
    public var trains = 64
    /// Bytes of a train; up to 65,000.
    public var trainBytes = 65_000
    /// The kernel may cut trains apart (`UDP_SEGMENT`).
    public var segmentation = true
    /// The kernel may put arrivals together (`UDP_GRO`): buffers of 64 KiB.
    public var coalescing = true
    /// Sizes of datagrams that come in; the kernel drops others. Empty: all come in. At most 8.
    public var lengths: [Int] = []
    /// Least room for completions; 0 is room for all there can be. For tests of a full queue.
    public var completions = 0
    /// What io_uring can do is given up beforehand, as on an older kernel: 0 nothing; 1 batch wait
    /// and deferred work; 2 the single issuer, too; 3 the queue's size, too. For tests.
    public var peeled = 0

    /// The defaults.
    public init() {}

    /// Bytes from receive buffer to receive buffer. An arrival that was put together has up to
    /// 65,527 bytes.
    var receiveStride: Int {
        Port.headBytes + (((coalescing ? 65_536 : receiveBytes) + 63) & ~63)
    }

    /// Bytes from train to train.
    var trainStride: Int { (trainBytes + 63) & ~63 }

    func check() {
        precondition(receiveBuffers.nonzeroBitCount == 1 && receiveBuffers <= 32_768)
        precondition(receiveBytes >= 1 && receiveBytes <= 65_536)
        precondition(trains >= 1 && trains <= 4_096)
        precondition(trainBytes >= 1 && trainBytes <= Port.trainBytesMax)
        precondition(lengths.count <= Port.lengthsMax)
        precondition(lengths.allSatisfy { $0 >= 0 && $0 <= 65_535 })
    }

    func raw(_ socket: borrowing DatagramSocket, memory: Region) -> port_config {
        var raw = unsafe port_config(
            backend: backend.raw,
            socket: socket.descriptor,
            network: backend.network?.network,
            at: socket.address.raw,
            memory: memory.base.assumingMemoryBound(to: UInt8.self),
            receive_stride: UInt64(receiveStride),
            train_stride: UInt64(trainStride),
            receive_buffers: UInt32(receiveBuffers),
            trains: UInt32(trains),
            train_bytes: UInt32(trainBytes),
            segmentation: segmentation ? 1 : 0,
            coalescing: coalescing ? 1 : 0,
            completions: UInt32(completions),
            peeled: UInt32(peeled),
            lengths_count: UInt32(lengths.count),
            lengths: (0, 0, 0, 0, 0, 0, 0, 0)
        )
        unsafe withUnsafeMutableBytes(of: &raw.lengths) { bytes in
            let cells = unsafe bytes.assumingMemoryBound(to: UInt32.self)
            for (index, length) in lengths.enumerated() { unsafe cells[index] = UInt32(length) }
        }
        return unsafe raw
    }
}

extension PortConfig.Backend {
    var network: SimulatedNetwork? {
        if case .simulated(let network) = self { network } else { nil }
    }

    fileprivate var raw: port_backend {
        switch self {
        case .automatic: PORT_AUTOMATIC
        case .uring: PORT_URING
        case .syscalls: PORT_SYSCALLS
        case .simulated: PORT_SIMULATED
        }
    }
}
