@main struct FirnMain { static func main() {} }
