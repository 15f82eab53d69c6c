internal import CRing

#if canImport(Glibc)
internal import Glibc
#endif

/// What a port uses of what the kernel has.
public struct PortFeatures: Sendable, Equatable, CustomStringConvertible {
    /// The way to the kernel that was taken.
    public enum Backend: String, Sendable {
        /// io_uring.
        case uring = "io_uring"
        /// `recvmmsg` and `sendmmsg`.
        case syscalls = "system calls"
        /// A network in memory.
        case simulated
    }

    /// The way to the kernel that was taken.
    public let backend: Backend
    /// Why it is not io_uring; empty if it is, or was not wished for.
    public let fallback: String
    /// The kernel knows that one thread uses the ring.
    public let hasSingleIssuer: Bool
    /// The kernel's part of the work is done when we ask for it.
    public let defersWork: Bool
    /// The ring's descriptor is registered.
    public let hasKnownRing: Bool
    /// A wait may last for more than the first arrival.
    public let waitsForBatches: Bool
    /// The socket can send trains in one piece.
    public let segmentation: Bool
    /// The socket puts arrivals together.
    public let coalescing: Bool
    /// The kernel drops datagrams of other sizes.
    public let filtersLengths: Bool

    /// One line for the log.
    public var description: String {
        var words: [String] = []
        if !fallback.isEmpty { words.append("io_uring \(fallback)") }
        if hasSingleIssuer { words.append("single issuer") }
        if defersWork { words.append("deferred work") }
        if hasKnownRing { words.append("known ring") }
        if waitsForBatches { words.append("batch wait") }
        words.append(segmentation ? "segmentation" : "no segmentation")
        words.append(coalescing ? "coalescing" : "no coalescing")
        if filtersLengths { words.append("length filter") }
        return "\(backend.rawValue): \(words.joined(separator: ", "))"
    }

    /// All of it in one word, to be left where another thread finds it.
    public let word: UInt64

    /// What `word` was.
    public init(word: UInt64) {
        self.init(
            port_backend(rawValue: UInt32(word >> 48)),
            UInt32(truncatingIfNeeded: word >> 16) & 0xffff_ffff,
            fallback: -Int32(word & 0xffff)
        )
    }

    init(_ kind: port_backend, _ bits: UInt32, fallback status: Int32) {
        word =
            UInt64(kind.rawValue) << 48 | UInt64(bits) << 16
            | UInt64(UInt16(truncatingIfNeeded: -status))
        func has(_ feature: port_feature) -> Bool { bits & feature.rawValue != 0 }
        backend =
            switch kind {
            case PORT_URING: .uring
            case PORT_SIMULATED: .simulated
            default: .syscalls
            }
        fallback = PortFeatures.reason(status)
        hasSingleIssuer = has(PORT_SINGLE_ISSUER)
        defersWork = has(PORT_DEFER_TASKRUN)
        hasKnownRing = has(PORT_KNOWN_RING)
        waitsForBatches = has(PORT_BATCH_WAIT)
        segmentation = has(PORT_SEGMENTATION)
        coalescing = has(PORT_COALESCING)
        filtersLengths = has(PORT_LENGTH_FILTER)
    }

    private static func reason(_ status: Int32) -> String {
        switch -status {
        case 0: ""
        case EPERM, EACCES: "is not permitted (EPERM)"
        case ENOSYS: "is not in this kernel (ENOSYS)"
        case EINVAL: "is too old (EINVAL)"
        case ENOMEM: "may not lock the memory it needs (ENOMEM)"
        default: "failed: \(unsafe String(cString: strerror(-status)))"
        }
    }
}
