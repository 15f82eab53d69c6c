import JSON
import Node

/// A line to the admin socket: whatever it is, one line of JSON comes back.
func fuzzAdminSocket(_ input: [UInt8]) {
    let desk = AdminDesk(logger: Logger(level: .error)) { (_) throws(AdminError) -> JSON in
        ["served": true]
    }
    let answer = desk.answer(input)
    precondition(!answer.contains(UInt8(ascii: "\n")), "an answer is one line")
    precondition((try? JSON.parse(answer)) != nil, "an answer is JSON")
    guard let document = try? JSON.parse(input), let request = try? AdminRequest(document) else {
        return
    }
    let again = try? AdminRequest(request.document(id: "1"))
    precondition(again == request, "a request changed on its way")
}
