import Node

extension Verb {
    static let send = Verb(
        name: "send",
        summary: "",
        example: "dray send",
        run: { _ throws(Failure) in throw .failed("not yet") }
    )
}
