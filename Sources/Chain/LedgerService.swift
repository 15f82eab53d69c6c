internal import Bytes
internal import Glibc
internal import JSON
internal import LocalSocket
public import Store
internal import Synchronization

/// Answers requests to a ledger, one line each.
///
/// Lines are JSON objects with a member `do`; records travel in hex. Whatever comes in, the answer
/// is one line: `{"ok":true,…}` or `{"ok":false,"code":…}`.
public final class LedgerService: Sendable {
    // One writer: lines are answered one after the other.
    private let state: Mutex<State>

    private struct State {
        let store: LedgerStore
        var failure: StoreError?
    }

    /// Serves a ledger, which nobody else uses from now on.
    public init(_ store: sending LedgerStore) {
        state = Mutex(State(store: store))
    }

    /// Set once the disk has failed: nothing is answered any more, only a restart helps.
    public var failure: StoreError? { state.withLock { $0.failure } }

    /// Answers a line.
    public func answer(_ line: [UInt8], nowMillis: UInt64) -> [UInt8] {
        state.withLock { state in
            let answer: JSON
            do throws(Refusal) {
                guard state.failure == nil else { throw .storage }
                answer = try Self.answer(line, nowMillis, &state)
            } catch {
                answer = ["ok": false, "code": .string(error.code)]
            }
            return Array(answer.description.utf8)
        }
    }

    private static func answer(
        _ line: [UInt8],
        _ nowMillis: UInt64,
        _ state: inout State
    ) throws(Refusal) -> JSON {
        guard let request = try? JSON.parse(line), let verb = request["do"]?.text else {
            throw .malformed
        }
        let ledger = state.store.ledger
        switch verb {
        case "status": return LedgerWire.status(ledger, nowMillis)
        case "account":
            let address: Address = try bytes(request["address"])
            return [
                "ok": true, "record": LedgerWire.hex(ledger.accounts[address]?.record ?? []),
            ]
        case "accounts":
            let after: Address? = try optionalBytes(request["after"])
            return page(keys(Array(ledger.accounts.keys), after)) { ledger.accounts[$0]?.record }
        case "channels":
            let after: Bytes32? = try optionalBytes(request["after"])
            return page(keys(Array(ledger.channels.keys), after)) { ledger.channels[$0]?.record }
        case "nodes":
            guard let after = request["after"]?.unsigned, after <= UInt32.max else {
                throw .malformed
            }
            return page(ledger.nodes.dropFirst(Int(after)).prefix(pageRecords)) { $0.record }
        case "events":
            guard let since = request["since"]?.unsigned else { throw .malformed }
            return try events(since, &state)
        case "submit": return try submit(request, nowMillis, &state)
        default: throw .malformed
        }
    }

    private static let pageRecords = 256

    private static func submit(
        _ request: JSON,
        _ nowMillis: UInt64,
        _ state: inout State
    ) throws(Refusal) -> JSON {
        guard let text = request["request"]?.text, let packed = Hex.decode(text),
            let signed = SignedRequest(packed: packed)
        else { throw .malformed }
        do throws(StoreError) {
            let receipt = try state.store.apply(signed, nowMillis: nowMillis)
            return LedgerWire.receipt(receipt)
        } catch {
            state.failure = error
            throw .storage
        }
    }

    private static func events(
        _ since: UInt64,
        _ state: inout State
    ) throws(Refusal) -> JSON {
        do throws(StoreError) {
            let found = try state.store.events(since: since, limit: pageRecords)
            return page(found[...]) { $0.record }
        } catch {
            state.failure = error
            throw .storage
        }
    }

    private static func page<Element>(
        _ elements: ArraySlice<Element>,
        _ record: (Element) -> [UInt8]?
    ) -> JSON {
        ["ok": true, "records": .array(elements.compactMap(record).map(LedgerWire.hex))]
    }

    /// The next keys after one, in order.
    private static func keys<let count: Int>(
        _ all: [FixedBytes<count>],
        _ after: FixedBytes<count>?
    ) -> ArraySlice<FixedBytes<count>> {
        let sorted = all.sorted()
        guard let after else { return sorted.prefix(pageRecords) }
        let start = sorted.firstIndex { after < $0 } ?? sorted.count
        return sorted[start...].prefix(pageRecords)
    }

    private static func bytes<let count: Int>(
        _ value: JSON?
    ) throws(Refusal) -> FixedBytes<count> {
        guard let text = value?.text, let bytes = FixedBytes<count>(hex: text) else {
            throw .malformed
        }
        return bytes
    }

    private static func optionalBytes<let count: Int>(
        _ value: JSON?
    ) throws(Refusal) -> FixedBytes<count>? {
        guard let value, value != .null else { return nil }
        return try bytes(value)
    }
}
