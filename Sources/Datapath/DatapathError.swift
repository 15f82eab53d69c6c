#if canImport(Glibc)
internal import Glibc
#endif

/// Why the machine did not give what a worker needs.
public enum DatapathError: Error, Equatable, CustomStringConvertible {
    /// Somebody else receives on this port.
    case portInUse(UInt16)
    /// The address is none of this machine's.
    case noSuchAddress
    /// io_uring is forbidden here: by a container's seccomp filter or kernel.io_uring_disabled.
    case ringForbidden
    /// The kernel is older than Linux 6.0, or was built without io_uring.
    case ringUnsupported
    /// There is no such CPU, or this process may not use it.
    case noSuchCPU(Int)
    /// The file is longer than asked for.
    case fileTooLong(String)
    /// The disk is full.
    case diskFull(String)
    /// What was handed over is not what a suspended worker leaves.
    case notAdopted(String)
    /// Any other refusal: the call and its errno.
    case system(String, Int32)

    /// One line for the operator.
    public var description: String {
        switch self {
        case .portInUse(let port):
            "UDP port \(port) is in use"
        case .noSuchAddress:
            "the UDP address is none of this machine's"
        case .ringForbidden:
            "io_uring is not permitted here: allow it in the container's seccomp profile, "
                + "and set kernel.io_uring_disabled to 0"
        case .ringUnsupported:
            "this kernel's io_uring is too old: Linux 6.1 or later is needed"
        case .noSuchCPU(let cpu):
            "no CPU \(cpu) for a worker: \(Host.cpuCount) may be used"
        case .fileTooLong(let path):
            "\(path) was made with another size"
        case .diskFull(let path):
            "no room on the disk for \(path)"
        case .notAdopted(let reason):
            "memory that was handed over: \(reason)"
        case .system(let call, let number):
            "\(call): \(unsafe String(cString: strerror(number)))"
        }
    }

    static func port(_ status: Int32, _ backend: PortConfig.Backend) -> DatapathError {
        if case .uring = backend { ring(status) } else { .system("port", -status) }
    }

    static func ring(_ status: Int32) -> DatapathError {
        switch -status {
        case EPERM, EACCES: .ringForbidden
        case ENOSYS, EINVAL: .ringUnsupported
        default: .system("io_uring", -status)
        }
    }
}
