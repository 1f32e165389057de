# Estimates and standard errors of maximum-likelihood factor analysis by lavaan, from the observed
# information, with loadings^T noise^-1 loadings diagonal as a constraint.
# Run: Rscript standard_errors.R data/ability_rows.csv 2
suppressMessages(library(lavaan))
arguments <- commandArgs(trailingOnly = TRUE)
rows <- read.csv(arguments[1])
q <- as.integer(arguments[2])
p <- ncol(rows)
names(rows) <- paste0("x", 1:p)
pairs <- if (q > 1) combn(q, 2, simplify = FALSE) else list()
model <- c(
  sapply(1:q, function(f)
    paste0("f", f, " =~ ", paste0("NA*x", 1:p, " + l", 1:p, "_", f, "*x", 1:p, collapse = " + "))),
  sapply(1:q, function(f) paste0("f", f, " ~~ 1*f", f)),
  paste0("x", 1:p, " ~~ p", 1:p, "*x", 1:p),
  sapply(pairs, function(of) paste0("f", of[1], " ~~ 0*f", of[2])),
  sapply(pairs, function(of)
    paste(paste0("l", 1:p, "_", of[1], "*l", 1:p, "_", of[2], "/p", 1:p, collapse = " + "), "== 0"))
)
fit <- suppressWarnings(lavaan(
  paste(unlist(model), collapse = "\n"), data = rows, meanstructure = TRUE, int.ov.free = TRUE,
  information = "observed", estimator = "ML", likelihood = "normal",
  control = list(rel.tol = 1e-15, iter.max = 20000), optim.force.converged = TRUE))
table <- parameterEstimates(fit)
print(format(as.numeric(logLik(fit)), digits = 15))
print(format(table[table$op != "==", c("lhs", "op", "rhs", "est", "se")], digits = 12), row.names = FALSE)
