import Node

extension Verb {
    static let conform = Verb(
        name: "conform",
        summary: "",
        example: "dray conform",
        run: { _ throws(Failure) in throw .failed("not yet") }
    )
}
