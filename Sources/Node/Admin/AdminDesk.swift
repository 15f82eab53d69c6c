public import JSON
internal import Synchronization

/// Takes lines of the admin socket apart and puts answers together.
///
/// A changing request that is repeated with the same id gets the first answer again.
public final class AdminDesk: Sendable {
    /// Answers remembered for repetitions.
    static let remembered = 256
    private static let idBytesMax = 64

    private struct Memory {
        var answers: [String: String] = [:]
        var order: [String] = []
    }

    private let logger: Logger
    private let serve: @Sendable (AdminRequest) throws(AdminError) -> JSON
    private let memory = Mutex(Memory())

    /// A desk that hands requests to `serve`.
    public init(
        logger: Logger,
        serve: @escaping @Sendable (AdminRequest) throws(AdminError) -> JSON
    ) {
        self.logger = logger
        self.serve = serve
    }

    /// Answers one line with one line, whatever the line is.
    public func answer(_ line: [UInt8]) -> [UInt8] {
        Array(text(line).utf8)
    }

    private func text(_ line: [UInt8]) -> String {
        let document: JSON
        do throws(JSONError) {
            document = try JSON.parse(line)
        } catch {
            return failure("not JSON: \(error.reason)")
        }
        do throws(AdminError) {
            let request = try AdminRequest(document)
            let id = document["id"]?.text ?? ""
            guard id.utf8.count <= Self.idBytesMax else { throw AdminError("id is too long") }
            return try answer(request, id: id)
        } catch {
            return failure(error.reason)
        }
    }

    private func answer(_ request: AdminRequest, id: String) throws(AdminError) -> String {
        guard request.changes else { return success(try serve(request)) }
        if !id.isEmpty, let known = memory.withLock({ $0.answers[id] }) { return known }
        logger.log(.info, "admin verb=\(request.name) id=\(id)")
        let answer: String
        do throws(AdminError) {
            answer = success(try serve(request))
        } catch {
            answer = failure(error.reason)
        }
        if !id.isEmpty { remember(id, answer) }
        return answer
    }

    private func remember(_ id: String, _ answer: String) {
        memory.withLock { memory in
            if memory.answers.updateValue(answer, forKey: id) == nil { memory.order.append(id) }
            guard memory.order.count > Self.remembered else { return }
            memory.answers[memory.order.removeFirst()] = nil
        }
    }

    private func success(_ result: JSON) -> String {
        (["ok": true, "result": result] as JSON).description
    }

    private func failure(_ reason: String) -> String {
        (["ok": false, "error": .string(reason)] as JSON).description
    }
}
