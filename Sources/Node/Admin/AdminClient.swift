public import JSON
internal import LocalSocket

/// Why a running node gave no result.
public enum AdminClientError: Error, CustomStringConvertible {
    /// Nobody answers on the socket.
    case unreachable(String)
    /// The node says no.
    case refused(String)

    /// One line.
    public var description: String {
        switch self {
        case .unreachable(let reason): "no node answers: \(reason)"
        case .refused(let reason): reason
        }
    }
}

/// Asks a running node.
public enum AdminClient {
    /// Longest wait; redeeming may take a while.
    static let patienceMillis = 30_000

    /// Sends one request to the socket and returns the result.
    public static func ask(
        _ request: AdminRequest,
        socket: String
    ) throws(AdminClientError) -> JSON {
        let id = String(UInt64.random(in: .min ... .max), radix: 36)
        let answer: [UInt8]
        do throws(LocalSocketError) {
            var limits = LineLimits()
            limits.lineMillis = patienceMillis
            limits.lineBytes = 64 << 20
            var client = try LineClient(path: socket, limits: limits)
            answer = try client.request(Array(request.document(id: id).description.utf8))
        } catch {
            throw .unreachable(error.description)
        }
        guard let document = try? JSON.parse(answer) else {
            throw .unreachable("\(socket): the answer is not JSON")
        }
        if let error = document["error"]?.text { throw .refused(error) }
        guard let result = document["result"] else {
            throw .unreachable("\(socket): the answer has no result")
        }
        return result
    }
}
