import Node

extension Verb {
    static let demo = Verb(
        name: "demo",
        summary: "",
        example: "dray demo",
        run: { _ throws(Failure) in throw .failed("not yet") }
    )
}
