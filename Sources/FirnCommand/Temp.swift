import ArgumentParser
struct InspectCommand: ParsableCommand {}
struct CheckCommand: ParsableCommand {}
