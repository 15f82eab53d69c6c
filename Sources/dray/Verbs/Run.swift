import Node

extension Verb {
    static let run = Verb(
        name: "run",
        summary: "",
        example: "dray run",
        run: { _ throws(Failure) in throw .failed("not yet") }
    )
}
