import Bytes
import JSON
import Node
import Synchronization

/// The one answer that is waited for.
private final class Mail: Sendable {
    enum State {
        case waiting
        case answered([UInt8])
        case refused
    }

    private let state = Mutex(State.waiting)
    private let deadline: UInt64

    init(seconds: Int) { deadline = MonotonicClock.nanos() + UInt64(seconds) * 1_000_000_000 }

    func take(_ answer: [UInt8]?) {
        state.withLock { state in
            guard case .waiting = state else { return }
            state = answer.map { .answered($0) } ?? .refused
        }
    }

    var current: State { state.withLock { $0 } }

    var isOver: Bool {
        if case .waiting = current { return MonotonicClock.nanos() > deadline }
        return true
    }
}

/// Sends one message; the node lives as long as that takes.
func sendMessage(_ arguments: Arguments) throws(Failure) {
    let configuration = try Failure.load(arguments)
    var entry = try EntrySide.read(arguments, configuration, listen: nil)
    let mail = Mail(seconds: try arguments.integer("wait-s", 10, in: 1...3_600))
    entry.message = Array(arguments.value("text").utf8)
    entry.isDone = { mail.isOver }
    let code = try runNode(configuration, entry: entry) { mail.take($0) }
    switch mail.current {
    case .waiting: throw .failed("no answer")
    case .refused: throw .failed("the exit does not serve this target")
    case .answered(let bytes):
        let text = String(decoding: bytes, as: UTF8.self)
        let document: JSON = ["answer": .string(text), "hex": .string(Hex.encode(bytes))]
        print(arguments.json ? document.description : text)
    }
    if code != 0 { throw Failure(code: code, message: "") }
}
