"""Viper out of annotations: what is bytecode on a board, where viper takes more flash, in a simulation that is in haste.

A function that says what it gives back, `def push(self, x: int) -> int`, calculates with nothing but numbers: viper computes
them in registers. In: a module's text. Out: the text in which such functions are viper. Their numbers and pointers are
declared as Python does it, once for each name, and cost a board nothing: `n: int = self.n`, `b: ptr8 = self.buf`. Whatever
comes from elsewhere (attributes, items, calls) and is calculated or compared with is taken as a number.
A pointer knows no negative numbers in memory on 64 bits; an array that holds some stays an array.
"""

import ast

ELSEWHERE = (ast.Attribute, ast.Subscript, ast.Call, ast.Compare)
TYPES = ("int", "ptr8", "ptr16", "ptr32")


def number(node: ast.expr) -> ast.expr:
    """`node`, as a number where it may be an object."""
    if not isinstance(node, ELSEWHERE):
        return node
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in TYPES:
        return node
    return call("int", node)


def call(name: str, node: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), [node], [])


class Typed(ast.NodeTransformer):
    """Rewrites the body of one function; `numbers`: names declared as int, or as pointers to such."""

    def __init__(self, f: ast.FunctionDef):
        args = [(a.arg, a.annotation) for a in f.args.args]
        args += [
            (n.target.id, n.annotation)
            for n in ast.walk(f)
            if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)
        ]
        self.numbers = {name for name, kind in args if isinstance(kind, ast.Name) and kind.id in TYPES}
        self.gives = f.returns.id if isinstance(f.returns, ast.Name) else ""

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        node.left, node.right = number(node.left), number(node.right)
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.op, ast.Not):
            node.operand = number(node.operand)
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.ops[0], ast.Is | ast.IsNot | ast.In | ast.NotIn):
            node.left = number(node.left)
            node.comparators = [number(c) for c in node.comparators]
        return node

    def visit_For(self, node: ast.For) -> ast.AST:
        self.generic_visit(node)
        if (
            isinstance(node.iter, ast.Call)
            and isinstance(node.iter.func, ast.Name)
            and node.iter.func.id == "range"
        ):
            node.iter.args = [number(a) for a in node.iter.args]
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)  # both ways must give the same: viper asks only the second
        node.body, node.orelse = number(node.body), number(node.orelse)
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        self.generic_visit(node)
        value = number(node.value)
        if isinstance(node.target, ast.Name):
            node.value = value
            return node
        was = ast.parse(ast.unparse(node.target), mode="eval").body
        return ast.Assign([node.target], ast.BinOp(number(was), node.op, value))

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        self.generic_visit(node)
        if node.value is None:
            return None
        assert isinstance(node.annotation, ast.Name)
        kind = node.annotation.id
        return ast.Assign([node.target], call(kind, node.value) if kind in TYPES else node.value)

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        self.generic_visit(node)
        stores = (t.value if isinstance(t, ast.Subscript) else t for t in node.targets)
        if any(isinstance(t, ast.Name) and t.id in self.numbers for t in stores):
            node.value = number(node.value)
        return node

    def visit_Return(self, node: ast.Return) -> ast.AST:
        self.generic_visit(node)
        if node.value and self.gives == "int":
            node.value = number(node.value)
        if isinstance(node.value, ast.UnaryOp) and self.gives == "bool":
            node.value = call("bool", node.value)
        return node


def quick(text: str) -> str:
    """The module's text with viper wherever a function says what it gives back; as it is where none does, or where it is no
    Python: MicroPython will say it better."""
    if "->" not in text:
        return text
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return text
    found = [
        f
        for f in ast.walk(tree)
        if isinstance(f, ast.FunctionDef) and f.returns is not None and not f.decorator_list
    ]
    for f in found:
        typed = Typed(f)
        f.body = [line for statement in f.body if (line := typed.visit(statement)) is not None]
        f.decorator_list = [ast.Attribute(ast.Name("micropython", ast.Load()), "viper", ast.Load())]
        if isinstance(f.returns, ast.Constant):  # None: viper has no word for it
            f.returns = None
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n" if found else text
