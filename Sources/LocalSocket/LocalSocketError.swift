internal import Glibc

/// Why a local socket could not be used.
public enum LocalSocketError: Error, Equatable, CustomStringConvertible {
    /// The path is longer than a unix socket's may be.
    case pathTooLong(String)
    /// Another process answers on the path.
    case inUse(String)
    /// Nobody answers on the path.
    case unreachable(String, number: Int32)
    /// The other side closed, or did not answer in time.
    case noAnswer(String)
    /// A line longer than agreed.
    case tooLong
    /// Another call failed.
    case system(action: String, path: String, number: Int32)

    /// One line.
    public var description: String {
        switch self {
        case .pathTooLong(let path): "\(path): longer than a unix socket's path may be"
        case .inUse(let path): "\(path): another process answers on this socket"
        case .unreachable(let path, let number): "cannot reach \(path): \(errorText(number))"
        case .noAnswer(let path): "\(path): no answer"
        case .tooLong: "line too long"
        case .system(let action, let path, let number):
            "cannot \(action) \(path): \(errorText(number))"
        }
    }

    static func last(_ action: String, _ path: String) -> LocalSocketError {
        .system(action: action, path: path, number: errno)
    }
}

private func errorText(_ number: Int32) -> String {
    // strerror returns a constant or a thread's own buffer; it is copied at once.
    unsafe strerror(number).map { unsafe String(cString: $0) } ?? "error \(number)"
}
