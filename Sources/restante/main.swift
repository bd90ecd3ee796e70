import Console
import System

Process.exit(Administration.run(Process.arguments).rawValue)
