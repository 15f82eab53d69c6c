import Conform
import JSON

extension Verb {
    static let conform = Verb(
        name: "conform",
        summary: "check a folder of vector files against this build",
        operands: ["DIR"],
        example: "dray conform Tests/Vectors/hopr",
        run: checkVectors
    )
}

private func checkVectors(_ arguments: Arguments) throws(Failure) {
    var conformance = Conformance()
    conformance.check(folder: arguments.operands[0])
    if arguments.json {
        print(conformance.json)
    } else {
        for failure in conformance.failures { print(failure.line) }
        print(conformance.summary)
    }
    guard conformance.failures.isEmpty else { throw Failure(code: 1, message: "") }
}
